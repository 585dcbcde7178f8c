"""What people do with dead letters: look at them, have them tried again, throw them away."""

import asyncio
import base64
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from triggers.delivery.work import REPLAYED
from triggers.store.changes import AddEvents, AddResults, Change, DropLetters
from triggers.store.rows import EventRow, Letter, ResultRow
from triggers.store.store import DeliveryStore, LetterQuery

EVENT, RESULT = "event", "result"
"""What a letter's `kind` may be."""

CHUNK = 50
PATIENCE = 10.0

Wake = Callable[[str], bool]
"""Tells who works the rows of a lane or target that there are new ones; False when nobody does."""


class LetterError(Exception):
    """A dead letter cannot be dealt with."""


class UnknownLetterError(LetterError):
    """There is no such dead letter: it never was, or it was replayed, thrown away, or too old."""


class StrandedLetterError(LetterError):
    """Nobody works what the letter came from, so a replay would only wait."""


class NotWrittenError(LetterError):
    """The disk takes nothing just now."""


@dataclass(frozen=True)
class Choice:
    """Which dead letters: those of a function, of a rule, of a type of error; without any, all of them."""

    function: str | None = None
    rule: str | None = None
    error: str | None = None


@dataclass
class Replayed:
    """How many letters are tried again, and how many are not since nobody works their lane or target."""

    count: int = 0
    stranded: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Replayed") -> None:
        """Count those, too."""
        self.count += other.count
        self.stranded += other.stranded


class DeadLetters:
    """The dead letters of one store; `clock` gives seconds since the epoch.

    `on_replay` is told of each letter that is to be tried again, before anybody tries.
    """

    def __init__(self, store: DeliveryStore, wake: Wake, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._wake = wake
        self._clock = clock
        # Who reads a letter and acts on it must not be overtaken by another who has read it, too.
        self._reading = asyncio.Lock()
        self._in_hand: set[int] = set()
        self.on_replay: Callable[[Letter], None] | None = None

    @property
    def count(self) -> int:
        """How many there are."""
        return self._store.letter_count

    async def page(self, choice: Choice, before: int | None, limit: int) -> list[Letter]:
        """The newest `limit` of them, or of those older than the letter `before`; newest first."""
        query = LetterQuery(choice.function, choice.rule, error=choice.error, before=before, limit=limit)
        return await self._store.letters(query)

    async def kinds(self) -> list[tuple[str, str, str, int]]:
        """Function, rule and error type of all there are, with how many have these three."""
        return await self._store.letter_kinds()

    async def show(self, seq: int) -> Letter:
        """One of them; raises UnknownLetterError."""
        letter = await self._store.letter(seq)
        if letter is None:
            raise _unknown(seq)
        return letter

    async def replay(self, seq: int, body: bytes | None = None) -> None:
        """Have one tried again: its event by its function, its result by its broker.

        With `body`, that is what goes there instead of its own. Raises UnknownLetterError,
        StrandedLetterError, and NotWrittenError.
        """
        done = await self._replay((seq,), body)
        if done.stranded:
            lane = ", ".join(done.stranded)
            raise StrandedLetterError(f"dead letter {seq} is not replayed, nothing works {lane}: {REMEDY}")
        if not done.count:
            raise _unknown(seq)

    async def replay_all(self, choice: Choice, until: int | None = None) -> Replayed:
        """Have all of a choice up to the letter `until` tried again, oldest first; raises NotWrittenError."""
        done = Replayed()
        for seqs in _chunks(await self._seqs(choice, until)):
            done.add(await self._replay(seqs))
        return done

    async def drop(self, seq: int) -> None:
        """Throw one away; raises UnknownLetterError and NotWrittenError."""
        if not await self._drop((seq,)):
            raise _unknown(seq)

    async def drop_all(self, choice: Choice, until: int | None = None) -> int:
        """Throw away all of a choice up to the letter `until`, and say how many; raises NotWrittenError."""
        return sum([await self._drop(seqs) for seqs in _chunks(await self._seqs(choice, until))])

    async def _seqs(self, choice: Choice, until: int | None) -> list[int]:
        """Those that are there now, oldest first."""
        seqs: list[int] = []
        before = None if until is None else until + 1
        while page := await self.page(choice, before, CHUNK):
            seqs += [letter.seq for letter in page]
            before = seqs[-1]
        return seqs[::-1]

    async def _replay(self, seqs: Iterable[int], body: bytes | None = None) -> Replayed:
        async with self._reading:
            letters = await self._read(seqs)
            if body is not None:
                letters = [replace(each, body=body) for each in letters]
            working = {lane for lane in {letter.lane for letter in letters} if self._wake(lane)}
            able = [letter for letter in letters if letter.lane in working]
            written = self._submit(able, working, self._rows(able))
        await self._settle(written)
        return Replayed(len(able), Counter(each.lane for each in letters if each.lane not in working))

    async def _drop(self, seqs: Iterable[int]) -> int:
        async with self._reading:
            letters = await self._read(seqs)
            written = self._submit(letters, (), ())
        await self._settle(written)
        return len(letters)

    async def _read(self, seqs: Iterable[int]) -> list[Letter]:
        # What is in hand when reading begins may be read although it is gone when reading ends.
        free = [seq for seq in seqs if seq not in self._in_hand]
        found = [await self._store.letter(seq) for seq in free]
        return [letter for letter in found if letter is not None]

    def _rows(self, letters: Iterable[Letter]) -> Iterator[Change]:
        letters = tuple(letters)
        if results := tuple(self._result(each) for each in letters if each.kind == RESULT):
            yield AddResults(results)
        if events := tuple(self._event(each) for each in letters if each.kind != RESULT):
            yield AddEvents(events)

    def _event(self, letter: Letter) -> EventRow:
        # Not its source: nobody would forget that of the new row once the delivery is acknowledged, and the
        # next delivery with the same packet id could be taken for this one.
        return EventRow(
            self._store.next_seq(),
            letter.lane,
            letter.event_id,
            {**letter.head, REPLAYED: True},
            letter.body,
            key=letter.key,
            attempts=letter.attempts,
        )

    def _result(self, letter: Letter) -> ResultRow:
        head = letter.head
        return ResultRow(
            seq=self._store.next_seq(),
            target=letter.lane,
            event_id=letter.event_id,
            function=letter.function,
            topic=cast(str, head["topic"]),
            payload=letter.body,
            qos=cast(int, head["qos"]),
            retain=cast(bool, head["retain"]),
            properties=base64.b64decode(cast(str, head["properties"])),
            created=self._clock(),
            timeout=cast(float, head["timeout"]),
            rule=letter.rule,
            attempts=letter.attempts + 1,
        )

    def _submit(
        self, letters: Sequence[Letter], lanes: Collection[str], rows: Iterable[Change]
    ) -> "asyncio.Future[None] | None":
        if not letters:
            return None
        if self._store.trouble:
            raise NotWrittenError(f"nothing is changed: {self._store.trouble}")
        seqs = tuple(letter.seq for letter in letters)
        self._in_hand.update(seqs)
        written = self._store.submit(*rows, DropLetters(seqs))

        def settle(written: "asyncio.Future[None]") -> None:
            self._in_hand.difference_update(seqs)
            if not written.cancelled() and written.exception() is None:
                if lanes and self.on_replay is not None:
                    for each in letters:
                        self.on_replay(each)
                for lane in lanes:
                    self._wake(lane)

        written.add_done_callback(settle)
        return written

    async def _settle(self, written: "asyncio.Future[None] | None") -> None:
        if written is None:
            return
        done, _ = await asyncio.wait([written], timeout=PATIENCE)
        if not done:
            why = self._store.trouble or "the disk is slow"
            raise NotWrittenError(f"it will be done as soon as the disk takes it: {why}")
        await written


REMEDY = "its rule, timer or function is not in the config any more; put it back, or drop the letter"


def _unknown(seq: int) -> UnknownLetterError:
    return UnknownLetterError(f"there is no dead letter {seq}; `fnhost dlq list` shows those that there are")


def _chunks(seqs: Sequence[int]) -> Iterator[Sequence[int]]:
    return (seqs[start : start + CHUNK] for start in range(0, len(seqs), CHUNK))
