"""The one thread that writes: it commits what has come in groups, and goes on when the disk does."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from triggers.store.batch import Batch
from triggers.store.database import PAGE, WRONG_IN_ITSELF, is_damage, is_full, pragma
from triggers.store.failpoints import Failpoints
from triggers.store.jobs import Aside, Job, Jobs, Repair, Unit
from triggers.store.opening import Opened, mend, set_aside
from triggers.store.precedence import Waiting
from triggers.store.quota import Quota
from triggers.store.reader import Gate
from triggers.store.retention import Retention

logger = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at the disk, and between two attempts to write to one that refuses."""

CLOSING = 5.0
"""Seconds for which closing waits for a disk that refuses."""

CHECKPOINT_PAGES = 1000
GROUP_PAGES = 8
"""The log is written back after so many pages; a group costs about so many besides its rows."""


class StoreClosedError(Exception):
    """The store was closed before this could be written."""


@dataclass(frozen=True)
class Surroundings:
    """What the writer works with; `tell` is called in its thread with the units of a group that are done."""

    path: Path
    quota: Quota
    retention: Retention
    gate: Gate
    failpoints: Failpoints
    tell: Callable[[list[Unit]], None]


class Writer:
    """Owns the connection that writes. Only `put` and `close` are for other threads."""

    def __init__(self, opened: Opened, around: Surroundings) -> None:
        self.commits = 0
        self.damaged = opened.damaged
        self._around = around
        self._jobs = Jobs()
        self._closing = threading.Event()
        self._patience = 0.0
        self._looked = 0.0
        self._pages = 0
        self._broken: BaseException | None = None
        self._adopt(opened)
        self._look()
        self._thread = threading.Thread(target=self._run, name="delivery-writer", daemon=True)
        self._thread.start()

    def put(self, job: Job) -> None:
        """Have something written, after all that was put before it."""
        self._jobs.put(job)

    def close(self) -> None:
        """Write what was put, as far as the disk lets it, and close the file; blocks for seconds at most."""
        self._patience = time.monotonic() + CLOSING
        self._closing.set()
        self._jobs.end()
        self._thread.join(2 * CLOSING)

    def _adopt(self, opened: Opened) -> None:
        self._database = opened.database
        self._syncs = True
        self._around.retention.start(opened.found)
        # A quota that was made smaller must not keep from their end the rows that are there.
        there = pragma(self._database, "page_count")
        limit = max(self._around.quota.limits.quota // PAGE, there + there // 4)
        self._database.execute(f"PRAGMA max_page_count = {limit}")
        self._around.quota.stored = self._measure()

    def _measure(self) -> int:
        return PAGE * (pragma(self._database, "page_count") - pragma(self._database, "freelist_count"))

    def _run(self) -> None:
        quota = self._around.quota
        try:
            while not self._jobs.over:
                self._work(self._jobs.take(TICK))
                self._tick()
        finally:
            # Also when something unforeseen has ended this thread: nobody may take this for a working store.
            quota.trouble = quota.trouble or "the delivery database is closed"
            self._database.close()

    def _work(self, jobs: list[Job]) -> None:
        if units := [job for job in jobs if isinstance(job, Unit)]:
            self._write(units)
        for job in jobs:
            if isinstance(job, Repair):
                self._repair(job)
            elif isinstance(job, Aside):
                self._put_aside(job)

    def _write(self, units: list[Unit]) -> None:
        """Commit all, in order, however long it takes; only what finds no room is overtaken."""
        while units:
            waiting = self._write_round(units)
            if waiting and not self._wait():
                self._give_up(waiting)
                return
            units = self._with_all(waiting) if waiting else []

    def _write_round(self, units: list[Unit]) -> list[Unit]:
        """Commit what can be, and return the rest; a unit that is wrong in itself is found by halves.

        One that finds no room must not keep from their end those that would make it: each is tried alone.
        """
        waiting, size = Waiting(), len(units)
        while units:
            if waiting.holds(units[0]):
                waiting.add(units.pop(0))
                continue
            part = list(takewhile(lambda unit: not waiting.holds(unit), units[:size]))
            try:
                self._commit(part)
            except WRONG_IN_ITSELF as error:
                self._undo()
                if len(part) > 1:
                    size = len(part) // 2
                    continue
                part[0].error = error
            except (sqlite3.Error, OSError, MemoryError) as error:
                self._undo()
                self._suffer(error)
                if not is_full(error):
                    return waiting.units + units
                size = 1
                if len(part) == 1:
                    waiting.add(units.pop(0))
                continue
            units = units[len(part) :]
            size *= 2
            if not units and not waiting.units:
                self._recover()
            self._around.tell(part)
        return waiting.units

    def _commit(self, units: list[Unit]) -> None:
        self._mend()
        database, around = self._database, self._around
        self._sync(any(unit.durable for unit in units))
        database.execute("BEGIN IMMEDIATE")
        batch = Batch(database)
        for unit in units:
            if unit.size > around.quota.limits.quota:
                raise ValueError(f"{unit.size} bytes are more than the quota of {around.path}")
            for change in unit.changes:
                batch.add(change)
        batch.write()
        around.retention.save_marks(database)
        stored = self._measure()
        around.failpoints.reach("store.before-commit")
        database.execute("COMMIT")
        around.failpoints.reach("store.committed")
        self.commits += 1
        self._pages += GROUP_PAGES + sum(unit.size for unit in units) // PAGE
        around.quota.stored = stored
        around.retention.note(batch)

    def _sync(self, wanted: bool) -> None:
        """Before a transaction; what was committed without is synced with the next one that asks for it."""
        if wanted != self._syncs:
            self._database.execute(f"PRAGMA synchronous = {'FULL' if wanted else 'NORMAL'}")
            self._syncs = wanted

    def _undo(self) -> None:
        with suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _with_all(self, units: list[Unit]) -> list[Unit]:
        """And all else that waits: it may drop rows, and so make the room that was missing."""
        self._tend()
        jobs = self._jobs.take_all()
        for job in jobs:
            if isinstance(job, Repair):
                self._repair(job)
        return [*units, *(job for job in jobs if isinstance(job, Unit))]

    def _give_up(self, units: list[Unit]) -> None:
        for unit in units:
            unit.error = StoreClosedError(f"closed before it could be written: {self._around.quota.trouble}")
        self._around.tell(units)

    def _wait(self) -> bool:
        """Until the next attempt; False when the store is being closed and has waited long enough."""
        if not self._closing.wait(TICK):
            return True
        time.sleep(TICK / 10)
        return time.monotonic() <= self._patience

    def _suffer(self, error: BaseException) -> None:
        """Say why nothing can be written, and what to do."""
        quota, path = self._around.quota, self._around.path
        if is_damage(error):
            self._broken = self._broken or error
        if is_full(error):
            said = f"there is no room for {path}: free some of its disk, or allow it more"
        else:
            said = f"{path} cannot be written; it is tried again each second: look at its disk"
        said = f"{said} ({error})"
        if said != quota.trouble:
            logger.error("%s", said, extra={"event": "store.refused", "file": str(path)})
        quota.trouble = said

    def _recover(self) -> None:
        if self._around.quota.trouble is not None:
            logger.warning("%s can be written again", self._around.path, extra={"event": "store.recovered"})
            self._around.quota.trouble = None

    def _mend(self) -> None:
        """Replace a file that is damaged; raises OSError or sqlite3.Error when that cannot be done."""
        if self._broken is None:
            return
        with self._around.gate.shut():
            self._database.close()
            opened = mend(self._around.path, self._broken, self._around.failpoints)
        self._broken = None
        self.damaged += opened.damaged
        self._adopt(opened)

    def _repair(self, job: Repair) -> None:
        if not job.done.set_running_or_notify_cancel():
            return
        if job.generation == self._around.gate.generation:
            self._broken = self._broken or job.reason
        try:
            self._mend()
        except (sqlite3.Error, OSError) as error:
            self._suffer(error)
            job.done.set_exception(error)
        else:
            job.done.set_result(None)

    def _put_aside(self, job: Aside) -> None:
        try:
            self._mend()
            self._database.execute("BEGIN IMMEDIATE")
            moved = set_aside(self._database, job.table, job.rowid)
            self._database.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            self._undo()
            self._suffer(error)
        else:
            self.damaged += moved

    def _tick(self) -> None:
        if self._tend():
            self._recover()

    def _tend(self) -> bool:
        """What is to be done now and then, and whether it could be; an idle store writes nothing."""
        try:
            self._mend()
            self._look()
            if self._around.retention.is_due():
                self._drop()
            if self._pages >= CHECKPOINT_PAGES:
                self._database.execute("PRAGMA wal_checkpoint(PASSIVE)")
                self._around.failpoints.reach("store.checkpoint")
                self._pages = 0
        except (sqlite3.Error, OSError) as error:
            self._undo()
            self._suffer(error)
            return False
        finally:
            self._around.retention.say()
        return True

    def _look(self) -> None:
        if time.monotonic() >= self._looked + TICK:
            self._looked = time.monotonic()
            self._around.quota.look()

    def _drop(self) -> None:
        retention = self._around.retention
        self._database.execute("BEGIN IMMEDIATE")
        drops = retention.drop(self._database)
        self._database.execute("COMMIT")
        retention.dropped(drops)
