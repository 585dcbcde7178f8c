"""What waits on disk for somebody that is gone becomes dead letters, to be replayed when it is back."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Container, Iterable

from triggers.store.changes import AddLetters, DropEvents
from triggers.store.rows import EventRow, Letter
from triggers.store.store import DeliveryStore, StoreClosedError

logger = logging.getLogger(__name__)

PAGE = 500
PATIENCE = 5.0


class Burials:
    """Buries lanes in the background, since a disk may take its time."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, lanes: Iterable[str]) -> None:
        """Make dead letters of what waits in these."""
        for lane in lanes:
            self._tasks[lane] = asyncio.create_task(self._bury(lane))

    async def stop(self, lanes: Container[str] | None = None) -> None:
        """Let those of `lanes` be, or all, that are not buried yet: somebody will work them."""
        going_on = {lane: task for lane, task in self._tasks.items() if not task.done()}
        stopped = [task for lane, task in going_on.items() if lanes is None or lane in lanes]
        self._tasks = {lane: task for lane, task in going_on.items() if task not in stopped}
        for task in stopped:
            task.cancel()
        if stopped:
            await asyncio.wait(stopped)
            await self.wait_for_disk()

    async def wait_for_disk(self) -> None:
        """Wait until all that was submitted is committed, but not for a disk that refuses."""
        await asyncio.wait([self._store.submit()], timeout=PATIENCE)

    async def _bury(self, lane: str) -> None:
        try:
            await bury_lane(self._store, lane)
        except (sqlite3.Error, StoreClosedError) as error:
            # The next start of the host finds them again.
            logger.warning("what waits for %s is not buried: %s", lane, error, extra={"lane": lane})


async def bury_lane(store: DeliveryStore, lane: str) -> None:
    """Make dead letters of all events that wait in the inbox for `lane`."""
    buried = 0
    # What was worked off, and whose rows are not gone yet, is no orphan.
    await store.submit()
    while rows := await store.read_events(lane, 0, PAGE):
        letters = tuple(_letter_of(row, store.next_seq()) for row in rows)
        await store.submit(AddLetters(letters), DropEvents(tuple(row.seq for row in rows)))
        buried += len(rows)
    if buried:
        logger.warning(
            "%d events wait for %s, which the config has no more: they are dead letters now",
            buried,
            lane,
            extra={"event": "dead_letters", "lane": lane, "count": buried},
        )


def _letter_of(row: EventRow, seq: int) -> Letter:
    received = row.head.get("received")
    now = time.time()
    return Letter(
        seq=seq,
        kind="event",
        lane=row.lane,
        rule=str(row.head.get("source", "")),
        function=row.lane.rpartition("/")[2],
        event_id=row.event_id,
        head=row.head,
        body=row.body,
        attempts=row.attempts,
        error_type="NobodyTakesIt",
        message="the config has neither this rule nor its function in it any more",
        first=received if isinstance(received, float) else now,
        died=now,
        key=row.key,
        source=row.source,
    )
