"""What a device's plot is drawn from: times, and some numbers at each of them."""

import math
from array import array
from collections.abc import Mapping
from typing import NamedTuple

MOST_FIELDS = 12
SET_BACK = 60.0
"""Seconds: an event that seems so much older than the last one tells that the clock was set back."""


class Field(NamedTuple):
    """One number: `path` in what the function `of` made of an event, or with "" in the event itself."""

    of: str
    path: str


class Series:
    """Columns of equal length, of which the oldest moments give way; NaN where a field was not there."""

    __slots__ = ("columns", "times")

    def __init__(self) -> None:
        self.times: array[float] = array("d")
        self.columns: dict[Field, array[float]] = {}

    def add(self, at: float, numbers: Mapping[Field, float], most: int) -> None:
        """What was at `at` (seconds since the epoch); what belongs to the last moment joins it.

        All begins anew where the clock was set back.
        """
        if not numbers:
            return
        if self.times and at < self.times[-1] - SET_BACK:
            self.times, self.columns = array("d"), {}
        last = self.times[-1] if self.times else -math.inf
        if at < last:
            return
        if at > last:
            self.times.append(at)
            for column in self.columns.values():
                column.append(math.nan)
        for field, number in numbers.items():
            if (found := self._column(field)) is not None:
                found[-1] = number
        self._cut(len(self.times) - most)

    def since(self, at: float) -> int:
        """The place of the first moment after `at`."""
        place = len(self.times)
        while place and self.times[place - 1] > at:
            place -= 1
        return place

    def _column(self, field: Field) -> "array[float] | None":
        found = self.columns.get(field)
        if found is None and len(self.columns) < MOST_FIELDS:
            found = self.columns[field] = array("d", [math.nan]) * len(self.times)
        return found

    def _cut(self, count: int) -> None:
        if count > 0:
            for column in (self.times, *self.columns.values()):
                del column[:count]
