"""The last times that a connection was there, and was not: since when, and why."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MOST = 60
LONGEST_WHY = 500
"""Characters of a reason: some come from brokers."""


@dataclass
class Spell:
    """From `since` to the next one's (seconds since the epoch) it was connected, or not for the reason `why`.

    `attempts` failed in this time, the last one `at`.
    """

    connected: bool
    since: float
    why: str = ""
    attempts: int = 0
    at: float = 0.0


class Spells:
    """Of one connection, the oldest first; attempts that fail in the same way are one spell.

    `changes` grows with each change.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self.changes = 0
        self._all = deque([Spell(connected=False, since=clock())], MOST)

    def __iter__(self) -> Iterator[Spell]:
        return iter(self._all)

    @property
    def now(self) -> Spell:
        """How it is."""
        return self._all[-1]

    def up(self) -> None:
        """It is connected."""
        self._add(Spell(connected=True, since=self._clock()))

    def down(self, why: str) -> None:
        """It was lost, or could not be made."""
        why, now = why[:LONGEST_WHY], self.now
        if now.connected or (now.why and now.why != why):
            self._add(Spell(connected=False, since=self._clock()))
        now = self.now
        now.why, now.at = why, self._clock()
        now.attempts += 1
        self.changes += 1

    def _add(self, spell: Spell) -> None:
        self._all.append(spell)
        self.changes += 1
