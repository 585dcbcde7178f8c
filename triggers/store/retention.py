"""What is dropped because it is too much or too old: the oldest dead letters, and results nobody fetched."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conf.quantities import say_count, say_duration
from triggers.store.batch import Batch
from triggers.store.ended import Ended, EndedDrops
from triggers.store.found import Found
from triggers.store.quota import StoreLimits
from triggers.store.tables import AGES, LETTERS

logger = logging.getLogger(__name__)

CHECKED_EACH = 600.0
LOGGED_EACH = 60.0
"""Seconds."""

ELAPSED = -1
"""No row's `seq`."""

LETTERS_SHARE = 0.2
"""The part of the quota that dead letters may take; a fifth, says the log."""


@dataclass(frozen=True)
class Drops:
    """What a transaction has dropped: dead letters by `seq`, results and marks by number, and invocations."""

    letters: tuple[int, ...]
    results: int
    marks: int
    ended: EndedDrops | None


class Ages:
    """How old rows are, by the time for which the database has been open since they were written.

    Marks say up to which `seq` all rows had been written after so many seconds; that of ELAPSED says how long
    it was in all. They go to the disk with other changes only. So neither a clock that is set nor a long time
    without power makes anything old.
    """

    def __init__(self, marks: list[tuple[int, float]], clock: Callable[[], float]) -> None:
        self.marks = sorted(mark for mark in marks if mark[0] != ELAPSED)
        self._saved = len(self.marks)
        self._elapsed = max((ran for _, ran in marks), default=0.0)
        self._clock = clock
        self._began = clock() - self._elapsed

    def look(self, top: int) -> None:
        """All rows up to `top` have been written by now."""
        if not self.marks or top > self.marks[-1][0]:
            self.marks.append((top, self._clock() - self._began))

    def unsaved(self) -> list[tuple[int, float]]:
        """What is to be written with the next change."""
        ran = self._clock() - self._began
        elapsed = [(ELAPSED, ran)] if ran >= self._elapsed + CHECKED_EACH else []
        return self.marks[self._saved :] + elapsed

    def save(self, marks: list[tuple[int, float]]) -> None:
        """What was unsaved is on disk."""
        self._saved = len(self.marks)
        self._elapsed = max((ran for seq, ran in marks if seq == ELAPSED), default=self._elapsed)

    def forget(self, count: int) -> None:
        """The first marks are of no use any more."""
        del self.marks[:count]
        self._saved = max(0, self._saved - count)

    def count_older(self, age: float) -> int:
        """How many marks were made more than `age` seconds ago."""
        horizon = self._clock() - self._began - age
        return sum(1 for _, ran in self.marks if ran < horizon)

    def older(self, age: float) -> int:
        """The greatest seq that was certainly written more than `age` seconds ago; 0 for none."""
        count = self.count_older(age)
        return self.marks[count - 1][0] if count else 0


class Retention:
    """Used by the thread that writes. `clock` gives seconds; only their differences count."""

    def __init__(self, limits: StoreLimits, clock: Callable[[], float]) -> None:
        self.dropped_letters = 0
        self.dropped_results = 0
        self.dropped_invocations = 0
        self._limits = limits
        self._clock = clock
        self._letters: dict[int, int] = {}  # the bytes of each, the oldest first
        self._letter_bytes = 0
        self._ended = Ended(limits.quota)
        self._top = 0
        self._ages = Ages([], clock)
        self._saving: list[tuple[int, float]] = []
        self._due = 0.0
        self._unsaid = (0, 0, 0)
        self._said = -LOGGED_EACH

    @property
    def letter_count(self) -> int:
        """Dead letters on disk."""
        return len(self._letters)

    def start(self, found: Found) -> None:
        """Begin, or begin anew, with what is on disk."""
        self._letters = dict(sorted(found.letters.items()))
        self._letter_bytes = sum(found.letters.values())
        self._ended = Ended(self._limits.quota)
        self._top = found.top
        self._ages = Ages(found.marks, self._clock)
        self._due = self._clock()

    def note(self, batch: Batch) -> None:
        """A batch was committed, and with it what `save_marks` wrote."""
        self._top = max(self._top, batch.top)
        self._ages.save(self._saving)
        self._ended.grow(batch.saved)
        for seq, size in batch.letters.items():
            self._letter_bytes -= self._letters.pop(seq, 0)
            if size is not None:
                self._letters[seq] = size
                self._letter_bytes += size

    def save_marks(self, database: sqlite3.Connection) -> None:
        """Within a transaction that is written anyway: keep how old the rows are by now."""
        self._saving = self._ages.unsaved()
        for mark in self._saving:
            database.execute(AGES.insert(1), AGES.encode(mark))

    def is_due(self) -> bool:
        """Whether there is anything to drop; ages are looked at each ten minutes."""
        if self._clock() >= self._due:
            self._due = self._clock() + CHECKED_EACH
            self._ages.look(self._top)
            return True
        return self._ended.has_excess or self._has_excess(len(self._letters), self._letter_bytes)

    def drop(self, database: sqlite3.Connection) -> Drops:
        """Delete what is too much or too old, within a transaction; `dropped` is for after its commit."""
        limits = self._limits
        letters = self._dropped_letters()
        if letters:
            database.execute(LETTERS.delete, (json.dumps(letters),))
        old = self._ages.older(limits.result_age)
        results = database.execute("DELETE FROM results WHERE seq <= ?", (old,)).rowcount
        # Of those that are too old for anything, the last one still says how old the rest is.
        marks = max(0, self._ages.count_older(max(limits.letter_age, limits.result_age)) - 1)
        if marks:
            database.execute(
                "DELETE FROM ages WHERE seq < ? AND seq <> ?", (self._ages.marks[marks][0], ELAPSED)
            )
        ended = self._ended.drop(database) if self._ended.has_excess else None
        return Drops(tuple(letters), results, marks, ended)

    def dropped(self, drops: Drops) -> None:
        """What `drop` did was committed."""
        for seq in drops.letters:
            self._letter_bytes -= self._letters.pop(seq)
        self._ages.forget(drops.marks)
        self.dropped_letters += len(drops.letters)
        self.dropped_results += drops.results
        invocations = 0
        if drops.ended is not None:
            invocations = drops.ended.count
            self._ended.dropped(drops.ended)
        self.dropped_invocations += invocations
        counts = (len(drops.letters), drops.results, invocations)
        letters, results, ended = (said + more for said, more in zip(self._unsaid, counts, strict=True))
        self._unsaid = (letters, results, ended)

    def say(self) -> None:
        """Log what was dropped, at most once a minute."""
        if not any(self._unsaid) or self._clock() < self._said + LOGGED_EACH:
            return
        names = ("dead_letters", "results", "invocations")
        fields = {"event": "dropped", **dict(zip(names, self._unsaid, strict=True))}
        logger.warning("dropped for good: %s", " and ".join(self._told()), extra=fields)
        self._unsaid, self._said = (0, 0, 0), self._clock()

    def _told(self) -> Iterator[str]:
        (letters, results, ended), limits = self._unsaid, self._limits
        if letters:
            bounds = f"at most {limits.letters:,}, for {say_duration(limits.letter_age)}"
            yield f"{say_count(letters, 'dead letter')} ({bounds}, within a fifth of limits.delivery)"
        if results:
            yield f"{say_count(results, 'result')} (for {say_duration(limits.result_age)})"
        if ended:
            bounds = "within a fifth of limits.delivery; see limits.result_age"
            yield f"{say_count(ended, 'asynchronous invocation')} that had ended ({bounds})"

    def _dropped_letters(self) -> list[int]:
        old = self._ages.older(self._limits.letter_age)
        count, size = len(self._letters), self._letter_bytes
        dropped = []
        for seq, each in self._letters.items():
            if seq > old and not self._has_excess(count, size):
                break
            dropped.append(seq)
            count, size = count - 1, size - each
        return dropped

    def _has_excess(self, count: int, size: int) -> bool:
        return count > self._limits.letters or (count > 1 and size > LETTERS_SHARE * self._limits.quota)
