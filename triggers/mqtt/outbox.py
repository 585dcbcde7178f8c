"""The results of one target that stand on disk, and what becomes of those rows."""

import asyncio
import base64
import time
from collections.abc import Iterator
from functools import partial
from itertools import takewhile

from triggers.delivery.held import Held
from triggers.delivery.overflow import Overflow
from triggers.delivery.portions import portions
from triggers.delivery.work import Place, Work
from triggers.mqtt.messages import Outgoing, Told
from triggers.store.changes import AddLetters, AddResults, Change, DropEvents, DropResults, MoveResults
from triggers.store.rows import Letter, ResultRow
from triggers.store.store import DeliveryStore

PAGE = 1000
REFUSED, UNWANTED = "ResultRefused", "NobodyTakesIt"
"""Why a result became a dead letter, for programs: by its broker's will, or as no broker gets it any more."""


class Outbox:
    """Rows of `target` (`broker/client id`). Those in memory, too, are the publisher's to send.

    `since` is when the first of those that were found here was written, in seconds since the epoch, or 0.0.
    """

    def __init__(self, target: str, store: DeliveryStore) -> None:
        self.target = target
        self._store = store
        self._in_memory = Held()
        self._read = 0
        self._moving: set[asyncio.Future[None]] = set()
        found = store.targets.get(target)
        self.since = found.since if found else 0.0
        self._behind: Overflow[ResultRow] = Overflow(partial(store.read_results, target), found)

    def next_seq(self) -> int:
        """The number of the next result."""
        return self._store.next_seq()

    @property
    def first(self) -> int | None:
        """The lowest number of those that are on disk only."""
        return self._behind.first

    @property
    def count(self) -> int:
        """Roughly how many are on disk only."""
        return self._behind.count

    def look(self) -> None:
        """Somebody else has added rows, behind all that were read from disk so far."""
        self._behind.add(self._read + 1)

    def move(self, other: "Outbox") -> None:
        """Let all rows be another target's, which sends nothing before it has them."""
        if self._behind or len(self._in_memory):
            other.expect(self._store.submit(MoveResults(self.target, other.target)))

    def expect(self, moved: "asyncio.Future[None]") -> None:
        """Rows of another target are this one's as soon as they have `moved`, anywhere in the order."""
        self._moving.add(moved)
        moved.add_done_callback(self._moving.discard)
        self._behind.add(0)

    def write(self, kept: list[Outgoing]) -> "Iterator[asyncio.Future[None]]":
        """Put these on disk, as far as there is room; each hears of its end when it stands there."""
        kept.sort(key=lambda outgoing: outgoing.seq)
        for portion in portions(kept, _size):
            # Without room only those whose events are on disk, too: others are their broker's still.
            written = portion if self._store.takes_in else list(takewhile(_is_on_disk, portion))
            if written:
                yield self._write(written)
            if len(written) < len(portion):
                return

    def let_go(self, outgoing: Outgoing) -> None:
        """From now on it is on disk only."""
        self._in_memory.let_go(outgoing.seq)
        self._behind.add(outgoing.seq)

    async def load(self) -> list[Outgoing]:
        """The next ones that are on disk only; raises sqlite3.Error."""
        if self._moving:
            await asyncio.wait(self._moving)
        with self._in_memory.reading():
            page = await self._behind.load(PAGE)
            rows = [row for row in page if row.seq not in self._in_memory]
            for row in rows:
                self._in_memory.add(row.seq)
        self._read = max([self._read, *(row.seq for row in page)])
        return [_outgoing_of(row) for row in rows]

    def end(self, outgoing: Outgoing, error: str | None, error_type: str = REFUSED) -> None:
        """One that stands on disk is confirmed, or refused for good."""
        if outgoing.place is Place.STORING:
            # Its event hears of the end once the row is there, which the broker's acknowledgement must know
            # of.
            outgoing.verdict = error
        elif error is not None:
            self.bury(outgoing, error, error_type)
            return
        outgoing.place = Place.MEMORY
        self._drop(outgoing)

    def bury(self, outgoing: Outgoing, error: str, error_type: str) -> None:
        """Make a dead letter of a result whose event was acknowledged on the strength of its row."""
        outgoing.place = Place.MEMORY
        letter = _letter_of(outgoing, self.target, self._store.next_seq(), (error_type, error))
        self._drop(outgoing, AddLetters((letter,)))

    def _drop(self, outgoing: Outgoing, *instead: Change) -> None:
        dropped = self._store.submit(*instead, DropResults((outgoing.seq,)), durable=bool(instead))
        dropped.add_done_callback(lambda _: self._in_memory.gone(outgoing.seq))

    def _write(self, kept: list[Outgoing]) -> "asyncio.Future[None]":
        rows = tuple(_row_of(outgoing, self.target) for outgoing in kept)
        freed = [each.work for each in kept if each.work and each.work.place is not Place.MEMORY]
        for outgoing in kept:
            outgoing.place = Place.STORING
            self._in_memory.add(outgoing.seq)
        future = self._store.submit(AddResults(rows), DropEvents(tuple(work.seq for work in freed)))
        future.add_done_callback(partial(self._written, kept, freed))
        return future

    def _written(self, kept: list[Outgoing], freed: list[Work], future: "asyncio.Future[None]") -> None:
        if future.cancelled() or future.exception() is not None:
            self._keep_unwritten(kept)
            return
        for work in freed:
            work.place = Place.MEMORY
        for outgoing in kept:
            ended = outgoing.place is not Place.STORING
            outgoing.place = outgoing.place if ended else Place.STORED
            if outgoing.origin is not None:
                outgoing.origin.noted(outgoing.seq)
            outgoing.tell(outgoing.verdict)

    def _keep_unwritten(self, kept: list[Outgoing]) -> None:
        """Only what is wrong in itself is refused; it stays as it was, in memory and unacknowledged."""
        for outgoing in kept:
            if outgoing.place is Place.STORING:
                outgoing.place = Place.MEMORY
                self._in_memory.let_go(outgoing.seq)
            else:
                outgoing.tell(outgoing.verdict)


def _size(outgoing: Outgoing) -> int:
    return len(outgoing.payload)


def _is_on_disk(outgoing: Outgoing) -> bool:
    work = outgoing.work
    return outgoing.origin is None or (work is not None and work.place is Place.STORED)


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
        rule=outgoing.told.rule,
        attempts=outgoing.attempts,
    )


def _outgoing_of(row: ResultRow) -> Outgoing:
    return Outgoing(
        row.topic,
        row.payload,
        row.qos,
        row.retain,
        Told(row.rule, row.function, row.event_id),
        properties=row.properties,
        timeout=row.timeout,
        seq=row.seq,
        place=Place.STORED,
        attempts=row.attempts,
        created=row.created,
    )


def _letter_of(outgoing: Outgoing, target: str, seq: int, why: tuple[str, str]) -> Letter:
    now = time.time()
    error_type, error = why
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
        attempts=outgoing.attempts,
        error_type=error_type,
        message=error,
        first=now,
        died=now,
    )
