"""The delivery store: what keeps events, results and dead letters on disk until they are dealt with."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from triggers.store.changes import AddEvents, AddLetters, AddResults, Change, SaveInvocation, SaveSeen
from triggers.store.failpoints import Failpoints
from triggers.store.found import Known, Span
from triggers.store.jobs import Aside, Repair, Unit
from triggers.store.opening import Opened, open_database
from triggers.store.page import Page
from triggers.store.quota import ROW, Quota, StoreLimits
from triggers.store.reader import Gate, LetterQuery, Reader
from triggers.store.retention import Retention
from triggers.store.rows import EventRow, Invocation, Letter, ResultRow
from triggers.store.tables import Table
from triggers.store.writer import StoreClosedError, Surroundings, Writer

__all__ = ["DeliveryStore", "LetterQuery", "Span", "StoreClosedError", "StoreLimits"]


class DeliveryStore:
    """All that is kept in the SQLite file `path`; for one event loop, and for one process at a time.

    `clock` gives seconds, by which rows grow old; only differences count.
    """

    def __init__(
        self,
        path: Path,
        limits: StoreLimits = StoreLimits(),  # noqa: B008 - frozen
        failpoints: Failpoints | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._failpoints = failpoints or Failpoints()
        self._quota = Quota(path, limits)
        self._retention = Retention(limits, clock)
        self._gate = Gate(path)
        self._reader = Reader(self._gate, self._put_aside, self._repair)
        self._closed = False
        self._seq = 0
        self._known: Mapping[str, Known] = {}
        self._lanes: Mapping[str, Span] = {}
        self._targets: Mapping[str, Span] = {}
        self._loop: asyncio.AbstractEventLoop
        self._writer: Writer

    async def open(self) -> None:
        """Read what an earlier life has left; a damaged file is mended.

        Raises OSError or sqlite3.Error when not even a fresh file can be made, and NewerDatabaseError.
        """
        self._loop = asyncio.get_running_loop()
        try:
            opened = await self._loop.run_in_executor(self._reader.thread, self._open)
        except BaseException:
            self._reader.thread.shutdown(wait=False)
            raise
        self._seq = opened.found.top
        self._lanes, self._targets = opened.found.lanes, opened.found.targets
        self._known = opened.found.known()

    def _open(self) -> Opened:
        opened = open_database(self._path, self._failpoints)
        around = Surroundings(
            self._path, self._quota, self._retention, self._gate, self._failpoints, self._tell_loop
        )
        self._writer = Writer(opened, around)
        return opened

    async def close(self) -> None:
        """Commit what was submitted, as far as the disk lets it within some seconds, and close the file."""
        if self._closed:
            return
        self._closed = True
        await self._loop.run_in_executor(self._reader.thread, self._close)
        self._reader.thread.shutdown(wait=False)

    def _close(self) -> None:
        # The reader first: whoever closes the file last writes its log back, and only the writer can.
        self._gate.close()
        self._writer.close()

    def next_seq(self) -> int:
        """A number greater than those of all rows."""
        self._seq += 1
        return self._seq

    def submit(self, *changes: Change, durable: bool = True) -> "asyncio.Future[None]":
        """Make all these changes, or none; done when they are committed and, when `durable`, synced.

        Changes are committed in the order of their submission; while the disk refuses, they wait. A power
        cut may undo what is not durable. The future raises what is wrong with a change in itself (TypeError,
        ValueError …), or StoreClosedError.
        """
        future = self._loop.create_future()
        unit = Unit(changes, durable, sum(map(_size, changes)), future)
        self._quota.pending += unit.size
        if self._closed:
            unit.error = StoreClosedError("the delivery store is closed")
            self._tell([unit])
        else:
            self._writer.put(unit)
        return future

    def _tell_loop(self, units: list[Unit]) -> None:
        self._loop.call_soon_threadsafe(self._tell, units)

    def _tell(self, units: list[Unit]) -> None:
        for unit in units:
            self._quota.pending -= unit.size
            if unit.future.done():
                continue
            if unit.error is None:
                unit.future.set_result(None)
            else:
                unit.future.set_exception(unit.error)
                unit.future.exception()  # whoever has dropped the future need not hear of it

    def _put_aside(self, table: Table[Any], rowid: int) -> None:
        self._writer.put(Aside(table, rowid))

    async def _repair(self, reason: sqlite3.Error, generation: int) -> None:
        job = Repair(reason, generation)
        self._writer.put(job)
        await asyncio.wrap_future(job.done)

    @property
    def trouble(self) -> str | None:
        """Why nothing can be written just now."""
        return self._quota.trouble

    @property
    def takes_in(self) -> bool:
        """Whether new events are welcome; what brings rows to their end may be written even if not."""
        return self._quota.takes_in

    def has_room(self, size: int) -> bool:
        """Whether so many bytes more leave alone the room that is kept for what is under way."""
        return self._quota.has_room(size)

    @property
    def why_not(self) -> str:
        """Why nothing is taken in, and what to do about it; empty when it is."""
        return self._quota.why_not

    @property
    def used(self) -> int:
        """Bytes on disk and on their way there."""
        return self._quota.used

    @property
    def commits(self) -> int:
        """Groups committed since the store was opened."""
        return self._writer.commits

    @property
    def damaged(self) -> int:
        """Rows and places found damaged since the store was opened; at least so many rows are lost."""
        return self._writer.damaged

    @property
    def dropped_letters(self) -> int:
        """Dead letters dropped because they were too many or too old."""
        return self._retention.dropped_letters

    @property
    def dropped_results(self) -> int:
        """Results dropped because they were too old."""
        return self._retention.dropped_results

    @property
    def dropped_invocations(self) -> int:
        """Asynchronous invocations that had ended, dropped before their time because they took too much."""
        return self._retention.dropped_invocations

    @property
    def letter_count(self) -> int:
        """Dead letters on disk."""
        return self._retention.letter_count

    @property
    def lanes(self) -> Mapping[str, Span]:
        """What waited in each lane when the store was opened."""
        return self._lanes

    @property
    def targets(self) -> Mapping[str, Span]:
        """What waited for each target when the store was opened."""
        return self._targets

    def known(self, session: str) -> Known:
        """By packet id and digest: events of this session that were there when the store was opened.

        Each has the functions that need not see it again, with the rows that say so (inbox, dead letters, and
        the outbox where it has all results of the function).
        """
        return self._known.get(session, {})

    async def read_events(self, lane: str, since: int, limit: int) -> Page[EventRow]:
        """Of one lane, in order, from the seq `since` on; sound rows only, and no more than fit a page."""
        return await self._reader.events(lane, since, limit)

    async def read_results(self, target: str, since: int, limit: int) -> Page[ResultRow]:
        """For one target, in order, from the seq `since` on; sound rows only, and no more than fit a page."""
        return await self._reader.results(target, since, limit)

    async def waiting(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many events wait on disk now, by lane, and how many results, by target."""
        return await self._reader.waiting()

    async def letters(self, query: LetterQuery) -> list[Letter]:
        """Dead letters, the newest first."""
        return await self._reader.letters(query)

    async def letter_kinds(self) -> list[tuple[str, str, str, int]]:
        """Function, rule and error type of all dead letters, with how many have these three."""
        return await self._reader.letter_kinds()

    async def letter(self, seq: int) -> Letter | None:
        """One dead letter."""
        return await self._reader.letter(seq)

    async def invocation(self, id: str) -> Invocation | None:  # noqa: A002 - what it is called everywhere
        """One asynchronous invocation."""
        return await self._reader.invocation(id)

    async def open_invocations(self) -> list[Invocation]:
        """Those that wait or run, and those whose callback waits."""
        return await self._reader.open_invocations()

    async def expired_invocations(self, now: float, limit: int) -> list[str]:
        """The ids of those whose time is over at `now`, in seconds since the epoch."""
        return await self._reader.expired_invocations(now, limit)

    async def moments(self) -> dict[str, float]:
        """When each timer was last due, in seconds since the epoch."""
        return await self._reader.moments()

    async def seen(self) -> list[tuple[str, str, float]]:
        """What the rules' `dedupe` has seen, as (rule, key, seconds since the epoch)."""
        return await self._reader.seen()


def _size(change: Change) -> int:
    """Bytes of a change on disk, about."""
    match change:
        case AddEvents(rows):
            return sum(ROW + len(row.body) for row in rows)
        case AddResults(results):
            return sum(ROW + len(row.payload) for row in results)
        case AddLetters(letters):
            return sum(2 * ROW + len(row.body) for row in letters)
        case SaveInvocation(invocation):
            return ROW + len(invocation.body or b"")
        case SaveSeen(keys):
            return ROW * len(keys) // 4
        case _:
            return 0
