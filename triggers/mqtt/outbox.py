"""The results of one target that stand on disk, and what becomes of those rows."""

import asyncio
import base64
import time
from functools import partial

from triggers.delivery.changes import AddLetters, AddResults, DropEvents, DropResults, MoveResults
from triggers.delivery.overflow import Overflow
from triggers.delivery.rows import Letter, ResultRow
from triggers.delivery.store import DeliveryStore
from triggers.delivery.work import Place
from triggers.mqtt.messages import Outgoing, Told

PAGE = 1000


class Outbox:
    """Rows of `target` (`broker/client id`). Those in memory, too, are the publisher's to send."""

    def __init__(self, target: str, store: DeliveryStore) -> None:
        self.target = target
        self._store = store
        self._in_memory: set[int] = set()
        self._seen = 0
        self._behind: Overflow[ResultRow] = Overflow(
            partial(store.read_results, target), store.targets.get(target)
        )

    @property
    def takes_in(self) -> bool:
        """Whether there is room for results whose events are not on disk."""
        return self._store.takes_in

    def next_seq(self) -> int:
        """The number of the next result."""
        self._seen = self._store.next_seq()
        return self._seen

    @property
    def first(self) -> int | None:
        """The lowest number of those that are on disk only."""
        return self._behind.first

    @property
    def count(self) -> int:
        """Roughly how many are on disk only."""
        return self._behind.count

    def look(self) -> None:
        """Somebody else has added rows, behind all that is known here."""
        self._behind.add(self._seen + 1)

    def adopt(self) -> None:
        """Rows of another target are this one's now, anywhere in the order."""
        self._behind.add(0)

    def move(self, other: "Outbox") -> "asyncio.Future[None]":
        """Let the rows be another target's."""
        return self._store.submit(MoveResults(self.target, other.target))

    def write(self, kept: list[Outgoing]) -> "asyncio.Future[None]":
        """Put these on disk; each hears of its end when they are."""
        kept.sort(key=lambda outgoing: outgoing.seq)
        rows = tuple(_row_of(outgoing, self.target) for outgoing in kept)
        freed = tuple(each.work.seq for each in kept if each.work and each.work.place is not Place.MEMORY)
        for outgoing in kept:
            outgoing.place = Place.STORING
            self._in_memory.add(outgoing.seq)
        future = self._store.submit(AddResults(rows), DropEvents(freed))
        future.add_done_callback(partial(self._written, kept))
        return future

    def let_go(self, outgoing: Outgoing) -> None:
        """From now on it is on disk only."""
        self._in_memory.discard(outgoing.seq)
        self._behind.add(outgoing.seq)

    async def load(self) -> list[Outgoing]:
        """The next ones that are on disk only."""
        rows = [row for row in await self._behind.load(PAGE) if row.seq not in self._in_memory]
        self._in_memory.update(row.seq for row in rows)
        self._seen = max(self._seen, *(row.seq for row in rows), 0)
        return [_outgoing_of(row) for row in rows]

    def end(self, outgoing: Outgoing, error: str | None) -> None:
        """One that stands on disk is confirmed, or refused for good."""
        self._in_memory.discard(outgoing.seq)
        if outgoing.place is Place.STORING:
            # Its event hears of the end once the row is there, which the broker's acknowledgement must know
            # of.
            outgoing.verdict = error
        elif error is not None:
            self.bury(outgoing, error)
            return
        outgoing.place = Place.MEMORY
        self._store.submit(DropResults((outgoing.seq,)), durable=False)

    def bury(self, outgoing: Outgoing, error: str) -> None:
        """Make a dead letter of a result whose event was acknowledged on the strength of its row."""
        letter = _letter_of(outgoing, self.target, self._store.next_seq(), error)
        self._store.submit(AddLetters((letter,)), DropResults((outgoing.seq,)))

    def _written(self, kept: list[Outgoing], future: "asyncio.Future[None]") -> None:
        if future.cancelled() or future.exception() is not None:
            return
        for outgoing in kept:
            ended = outgoing.place is not Place.STORING
            outgoing.place = outgoing.place if ended else Place.STORED
            if outgoing.work is not None:
                outgoing.work.place = Place.MEMORY
            if outgoing.origin is not None:
                outgoing.origin.noted(outgoing.seq)
            outgoing.tell(outgoing.verdict)


def _row_of(outgoing: Outgoing, target: str) -> ResultRow:
    return ResultRow(
        seq=outgoing.seq,
        target=target,
        event_id=outgoing.told.event_id,
        function=outgoing.told.function,
        topic=outgoing.topic,
        payload=outgoing.payload,
        qos=outgoing.qos,
        retain=outgoing.retain,
        properties=outgoing.properties,
        created=time.time(),
        timeout=outgoing.timeout,
        total=outgoing.total,
        source=outgoing.origin.source if outgoing.origin is not None else None,
    )


def _outgoing_of(row: ResultRow) -> Outgoing:
    return Outgoing(
        row.topic,
        row.payload,
        row.qos,
        row.retain,
        Told("", row.function, row.event_id),
        properties=row.properties,
        timeout=row.timeout,
        seq=row.seq,
        place=Place.STORED,
    )


def _letter_of(outgoing: Outgoing, target: str, seq: int, error: str) -> Letter:
    now = time.time()
    return Letter(
        seq=seq,
        kind="result",
        lane=target,
        rule=outgoing.told.rule,
        function=outgoing.told.function,
        event_id=outgoing.told.event_id,
        head={
            "topic": outgoing.topic,
            "qos": outgoing.qos,
            "retain": outgoing.retain,
            "properties": base64.b64encode(outgoing.properties).decode(),
            "timeout": outgoing.timeout,
        },
        body=outgoing.payload,
        attempts=1,
        error_type="ResultRefused",
        message=error,
        first=now,
        died=now,
    )
