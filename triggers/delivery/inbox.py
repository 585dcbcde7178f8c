"""The events of one lane that stand on disk: written there under backlog, read back page by page."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from functools import partial

from triggers.delivery.held import Held
from triggers.delivery.overflow import Overflow
from triggers.delivery.portions import portions
from triggers.delivery.work import Place, Work, row_of, work_of
from triggers.store.changes import AddEvents, DropEvents
from triggers.store.page import PAGE_BYTES
from triggers.store.rows import EventRow
from triggers.store.store import DeliveryStore

logger = logging.getLogger(__name__)

PAGE = 1000
"""Events that are read from disk at once, and kept in memory though they stand there."""
MOST_BYTES = 2 * PAGE_BYTES
"""Bytes of the bodies of such events: no page is read that might bring them above."""
UNREAD_DELAY = 1.0
"""Seconds before a page that could not be read is tried again."""


class Inbox:
    """Rows of `lane`. `admit` is called for each event that comes into memory; its lane works it."""

    def __init__(self, lane: str, store: DeliveryStore, admit: Callable[[Work], None]) -> None:
        self._lane = lane
        self._store = store
        self._admit = admit
        self._loop = asyncio.get_running_loop()
        self._behind: Overflow[EventRow] = Overflow(partial(store.read_events, lane), store.lanes.get(lane))
        self._unwritten: dict[int, Work] = {}
        self._arriving: dict[int, Work] = {}
        self._in_memory = Held()
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._loading: asyncio.Task[None] | None = None
        self._read = 0
        self._grown = False
        self._closed = False

    @property
    def is_behind(self) -> bool:
        """Whether events are on disk, or about to be, and not in memory: newcomers come after them."""
        return bool(self._behind or self._arriving or self._unwritten)

    @property
    def is_writing(self) -> bool:
        """Whether newcomers are being written."""
        return bool(self._arriving)

    @property
    def count(self) -> int:
        """Roughly how many events are not in memory, or were not admitted yet."""
        return self._behind.count + len(self._arriving) + len(self._unwritten)

    def look(self) -> None:
        """Somebody else has added rows, behind all that was read from disk so far."""
        if self._loading is None:
            self._behind.add(self._read + 1)
        else:
            self._grown = True

    def receive(self, work: Work) -> None:
        """Write a newcomer; it comes into memory in its turn."""
        self._unwritten[work.seq] = work

    def write_arrivals(self, predecessors: Callable[[Sequence[Work]], list[Work]]) -> None:
        """Write the newcomers, and before them what `predecessors` names; without room they wait."""
        if not self._unwritten:
            return
        for works in portions(list(self._unwritten.values()), _size):
            if not self._store.takes_in or not self.put(predecessors(works)):
                break
            for work in works:
                self._arriving[work.seq] = self._unwritten.pop(work.seq)
            self._write(works).add_done_callback(partial(self._arrive, works))
        if self._unwritten and not (self._behind or self._arriving):
            # Unacknowledged, they are their broker's still; its window ends the flow.
            works, self._unwritten = list(self._unwritten.values()), {}
            for work in works:
                self._admit(work)

    def put(self, works: Sequence[Work]) -> bool:
        """Write what is in memory only, and keep it there; returns whether there was room for all."""
        for portion in portions([work for work in works if work.place is Place.MEMORY], _size):
            if not self._store.takes_in:
                return False
            self._write(portion)
        return True

    def update(self, work: Work, delay: float) -> None:
        """The row says from now on how often the event was tried, and when it is next: in `delay` seconds."""
        row = row_of(work, self._lane, time.time() + delay)
        self._store.submit(AddEvents((row,)), durable=False)

    def drop(self, work: Work) -> None:
        """All that is to become of the event has become of it."""
        written, work.place = work.place, Place.MEMORY
        if written is not Place.MEMORY:
            dropped = self._store.submit(DropEvents((work.seq,)), durable=False)
            dropped.add_done_callback(lambda _: self._in_memory.gone(work.seq))
        else:
            self._in_memory.gone(work.seq)
        if written is not Place.STORING:
            work.settle()
        self._lighten(work)

    def load(self) -> None:
        """Begin to read the next page, if there is one, and room for it in memory."""
        if self._behind and self._loading is None and not self._closed and self._has_room:
            self._loading = self._loop.create_task(self._load_page())
            self._loading.add_done_callback(self._end_loading)

    def _end_loading(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled():
            # Before it has begun it cannot say so itself; and who came back meanwhile waits for a page.
            if self._loading is task:
                self._loading = None
            self.load()

    def close(self) -> None:
        """Admit nothing any more: it stays on disk, or is its broker's."""
        self._closed = True
        self._unwritten.clear()
        if self._loading is not None:
            # One that has not begun yet would never say that it has ended.
            self._loading.cancel()
            self._loading = None

    def leave(self) -> None:
        """Read nothing any more, and write no newcomers: who has sent them does not send them again."""
        works, self._unwritten = list(self._unwritten.values()), {}
        self.close()
        for work in works:
            self._admit(work)

    def stay(self) -> None:
        """Read again, from the beginning; what is in memory is there already."""
        self._closed = False
        self._behind.add(0)

    def _write(self, works: Sequence[Work]) -> "asyncio.Future[None]":
        now, wall = self._loop.time(), time.time()
        rows = []
        for work in works:
            work.place = Place.STORING
            self._in_memory.add(work.seq)
            rows.append(row_of(work, self._lane, wall + work.due - now if work.due > now else 0.0))
        future = self._store.submit(AddEvents(tuple(rows)))
        future.add_done_callback(partial(self._written, works))
        return future

    def _written(self, works: Sequence[Work], future: "asyncio.Future[None]") -> None:
        if not _is_done(future):
            self._keep_unwritten(works)
            return
        for work in works:
            if work.place is Place.STORING:
                work.place = Place.STORED
            if work.origin is not None:
                work.origin.noted(work.seq)
            work.settle()

    def _keep_unwritten(self, works: Sequence[Work]) -> None:
        """Only what is wrong in itself is refused; it stays as it was, in memory and unacknowledged."""
        for work in works:
            self._in_memory.let_go(work.seq)
            if work.place is Place.STORING:
                work.place = Place.MEMORY
            else:
                # It was dealt with meanwhile, and its end had to wait for this.
                work.settle()

    def _arrive(self, works: Sequence[Work], written: "asyncio.Future[None]") -> None:
        for work in works:
            del self._arriving[work.seq]
            if self._closed:
                continue
            if _is_done(written) and (self._behind or len(self._in_memory) > PAGE or not self._has_room):
                self._in_memory.let_go(work.seq)
                self._behind.add(work.seq)
            else:
                self._weigh(work)
                self._admit(work)

    @property
    def _has_room(self) -> bool:
        return self._bytes <= MOST_BYTES - PAGE_BYTES

    def _weigh(self, work: Work) -> None:
        self._sizes[work.seq] = size = _size(work)
        self._bytes += size

    def _lighten(self, work: Work) -> None:
        had_room = self._has_room
        self._bytes -= self._sizes.pop(work.seq, 0)
        if not had_room:
            # Whoever asked for more meanwhile has got nothing.
            self.load()

    async def _load_page(self) -> None:
        rows: list[EventRow] = []
        try:
            rows = await self._read_page()
        except (sqlite3.Error, OSError) as error:
            logger.warning("the inbox of %s cannot be read: %s", self._lane, error)
            await asyncio.sleep(UNREAD_DELAY)
        finally:
            if self._loading is asyncio.current_task():
                self._loading = None
        if self._grown:
            self._grown = False
            self._behind.add(self._read + 1)
        if not rows:
            # Nobody comes in who would ask for what was added meanwhile.
            self.load()
        now = self._loop.time()
        works = [work_of(row, now) for row in rows]
        # All of them first: the next page is asked for as soon as the first is admitted.
        for work in works:
            self._weigh(work)
        for work in works:
            self._admit(work)

    async def _read_page(self) -> list[EventRow]:
        """What of the next page is not in memory, which has it from now on."""
        with self._in_memory.reading():
            page = await self._behind.load(PAGE)
            rows = [row for row in page if row.seq not in self._in_memory]
            for row in rows:
                self._in_memory.add(row.seq)
        self._read = max([self._read, *(row.seq for row in page)])
        return rows


def _size(work: Work) -> int:
    return len(work.event.body)


def _is_done(future: "asyncio.Future[None]") -> bool:
    return not future.cancelled() and future.exception() is None
