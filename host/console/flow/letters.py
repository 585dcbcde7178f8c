"""How many dead letters have come in the last hour, out of the history."""

from collections.abc import Callable
from itertools import pairwise

from host.observing.history.axis import Axis
from host.observing.history.columns import LAYOUTS
from host.observing.history.history import History

HOUR = 3600
STEP = 10
"""Seconds: the finest rows that reach back an hour."""
COLUMN = LAYOUTS["host"].names.index("dead_letters") + 1


class RecentLetters:
    """Reads the history anew when a row of it is over; `now_there` says how many letters there are."""

    def __init__(self, history: History, axis: Axis, now_there: Callable[[], int]) -> None:
        self._history = history
        self._axis = axis
        self._now_there = now_there
        self._read_at = -1
        self._before: list[int] = []

    def count(self) -> int:
        """Those that were added; some of them may be gone by now."""
        now = int(self._axis.now()) // STEP
        if now != self._read_at:
            self._read_at, self._before = now, self._levels()
        levels = [*self._before, self._now_there()]
        return sum(max(0, after - before) for before, after in pairwise(levels))

    def _levels(self) -> list[int]:
        since = int(self._axis.now()) - HOUR
        return [
            int(row[COLUMN]) for _, series in self._history.find("host") for row in series.since(since, STEP)
        ]
