"""Gives records their place in the host: in memory, to disk each minute or when many come, read from both."""

import asyncio
import contextlib
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from functools import partial

from host.lifecycle import Part
from host.observing.records.record import Record
from host.observing.records.records import Records
from host.observing.records.redaction import read_paths
from host.observing.records.sealing import View, seal, summarize
from host.observing.records.store import Choice, RecordStore
from runtime.observations import RESULTS
from runtime.steadily import Attempts

logger = logging.getLogger(__name__)

FLUSH_EVERY = 60.0
TRIM_EVERY = 3600.0
"""Seconds between looks for what is too old, where nothing is written."""
SHORTEST_PAUSE = 1.0
"""Seconds between two times of writing, unless much was written: then more may be there, and be lost."""
TROUBLES = (OSError, sqlite3.Error)


class RecordsPart(Part):
    """What is there is seen at once; what was added in the last minute is lost when the power fails."""

    name = "records"
    # Before the functions that make records, and stopped after them.
    priority = 155

    def __init__(self, records: Records, store: RecordStore) -> None:
        self._records = records
        self._store = store
        self._paths = read_paths(records.rules.redact)
        self._paging = asyncio.Lock()
        self._writing: list[Record] = []
        self._written = 0
        self._trouble = ""
        self._trim_at = 0.0
        self._flushes = Attempts("writing records of invocations")
        self._ending, self._due = asyncio.Event(), asyncio.Event()
        records.on_filling = self._due.set
        self._flushing: asyncio.Task[None] | None = None

    async def setup(self) -> None:
        """See what an earlier life has left; a file that cannot be used keeps nobody from work."""
        try:
            self._records.totals.earlier = await asyncio.to_thread(self._store.open)
            self._records.last = self._store.last
        except TROUBLES as error:
            self._say(error)
            # What stands there is not known, and may be read later: beyond any number of it.
            self._records.last = int(self._records.now() * 1000)

    async def start(self) -> None:
        """Begin to write."""
        self._flushing = asyncio.create_task(self._flush_often())

    async def stop(self) -> None:
        """Write the last of it."""
        self._ending.set()
        self._due.set()
        if self._flushing is not None:
            await self._flushing
        self._records.finish()
        await self._flushes.make(self.flush)
        await asyncio.to_thread(self._store.close)

    async def _flush_often(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._due.wait(), FLUSH_EVERY)
            self._due.clear()
            if self._ending.is_set() or await self._write_much():
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), SHORTEST_PAUSE)

    async def _write_much(self) -> bool:
        """Write, and say whether that made room: not where the disk took nothing, or all is incomplete."""
        before = self._written
        await self._flushes.make(self.flush)
        return self._written - before > self._records.shelf.filling // 2

    async def flush(self) -> None:
        """Write what is complete, drop what is too old; what cannot be written waits for the next time."""
        records, damaged = self._records, self._store.damaged
        self._writing = records.shelf.take_complete()
        if not self._writing and records.now() < self._trim_at:
            return
        self._trim_at = records.now() + TRIM_EVERY
        try:
            gone = await asyncio.to_thread(self._write, self._writing)
        except TROUBLES as error:
            records.put_back(self._writing)
            self._say(error)
        except Exception:
            records.put_back(self._writing)
            raise
        else:
            self._written += sum(each.size for each in self._writing)
            records.give_way(gone)
            self._recover()
        finally:
            self._writing = []
        if self._store.damaged != damaged:
            await self._count_again()

    async def _count_again(self) -> None:
        """The file was damaged: what was in it is gone."""
        with contextlib.suppress(*TROUBLES):
            there = await asyncio.to_thread(self._store.open)
            there += Counter(each.result for each in self._records.shelf)
            kept = Counter({result: told["kept"] for result, told in self.totals()["totals"].items()})
            self._records.give_way(kept - there)

    def _write(self, written: list[Record]) -> "Counter[str]":
        sealed = [view for each in written if (view := self._seal(each)) is not None]
        unfit = Counter(each.result for each in written) - Counter(view["result"] for view in sealed)
        return unfit + self._store.write(sealed, self._records.now())

    def _seal(self, record: Record) -> View | None:
        try:
            return seal(record, self._paths)
        except Exception:
            # It would fail each time, and keep all others from the disk and from those who ask.
            logger.exception("the record of %s cannot be shown, and is left out", record.id)
            return None

    def _say(self, error: Exception) -> None:
        said = (
            "records of invocations cannot be written, and are kept in memory as far as there is room; "
            f"look at the disk of {self._store.path} ({error})"
        )
        if said != self._trouble:
            logger.error("%s", said)
        self._trouble = said

    def _recover(self) -> None:
        if self._trouble:
            logger.warning("records of invocations can be written again")
        self._trouble = ""

    # -- to be read

    async def page(self, choice: Choice, limit: int) -> list[View]:
        """The newest of these records, the newest first, in brief: whole ones may have 10 MB and more.

        One page at a time, however many ask.
        """
        here = sorted(filter(choice.takes, self._here()), key=_number)
        if not choice.text:
            here = here[-limit:]
        read = partial(self._store.page, choice, limit, summarize)
        async with self._paging:
            found = await asyncio.to_thread(self._read, read, here, partial(_brief_if, choice))
        return found[-limit:][::-1]

    async def of(self, event_id: str) -> list[View]:
        """The records of one event, one for each attempt, the oldest first."""
        here = [each for each in self._here() if each.id == event_id]
        return await asyncio.to_thread(self._read, partial(self._store.of, event_id), here, dict)

    def newer(self, number: int, most: int) -> list[Record]:
        """Those in memory after this number, the newest `most` of them, oldest first."""
        if self._records.last <= number:
            return []
        return sorted((each for each in self._here() if each.number > number), key=_number)[-most:]

    def _here(self) -> list[Record]:
        return [*self._writing, *self._records.shelf]

    def _read(
        self, read: Callable[[], list[View]], here: list[Record], tell: Callable[[View], View | None]
    ) -> list[View]:
        """What is on disk and what is in memory, by number; one that was written meanwhile is told once."""
        views = ((each.number, view) for each in here if (view := self._seal(each)) is not None)
        told = {number: shown for number, view in views if (shown := tell(view)) is not None}
        try:
            stored = read()
        except TROUBLES as error:
            self._say(error)
            stored = []
        told |= {each["number"]: each for each in stored}
        return [told[number] for number in sorted(told)]

    def totals(self) -> View:
        """How many records there were and are, by result; exact."""
        totals = self._records.totals
        return {
            "since": totals.began,
            "trouble": self._trouble or None,
            "totals": {
                result: {
                    "made": totals.made[result],
                    "forgotten": totals.forgotten[result],
                    "kept": totals.earlier[result] + totals.made[result] - totals.forgotten[result],
                }
                for result in RESULTS
            },
        }


def _number(record: Record) -> int:
    return record.number


def _brief_if(choice: Choice, view: View) -> View | None:
    return summarize(view) if choice.finds(view) else None
