"""What waits on disk for somebody that is gone becomes dead letters, to be replayed when it is back."""

import logging
import time

from triggers.delivery.changes import AddLetters, DropEvents
from triggers.delivery.rows import EventRow, Letter
from triggers.delivery.store import DeliveryStore

logger = logging.getLogger(__name__)

PAGE = 500


async def bury_lane(store: DeliveryStore, lane: str) -> None:
    """Make dead letters of all events that wait in the inbox for `lane`."""
    buried = 0
    while rows := await store.read_events(lane, 0, PAGE):
        letters = tuple(_letter_of(row, store.next_seq()) for row in rows)
        await store.submit(AddLetters(letters), DropEvents(tuple(row.seq for row in rows)))
        buried += len(rows)
    logger.warning(
        "%d events wait for %s, which the config has no more: they are dead letters now", buried, lane
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
