"""One series: what was seen of the host, a function or an instance, second by second and at coarser steps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import sub
from typing import NamedTuple

from host.observing.history.columns import LAYOUTS, Layout, Scope
from host.observing.history.quantiles import NONE, estimate_quantiles
from host.observing.history.rows import Row, Rows
from host.observing.metrics.buckets import BOUNDS

STEPS: dict[int, int] = {1: 15 * 60, 10: 2 * 3600, 60: 24 * 3600}
"""For how many seconds rows are kept, by the seconds of their period."""
SAVED = (10, 60)
"""The steps whose rows outlive the host."""


class Key(NamedTuple):
    """Which series; `instance` reads REVISION.SLOT.PID, and both are empty where they do not apply."""

    scope: Scope
    function: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look: a value for each column (of a count its total so far), and the totals of its buckets.

    What stands in the place of quantiles is not looked at: the buckets tell them.
    """

    values: Sequence[float]
    buckets: Sequence[Sequence[float]] = ()


NOTHING = Seen(())


class Period:
    """The rows of one step, and the period that is not over yet.

    A row is the difference of two totals, and the next one begins with the second of them: whatever the step,
    and however late somebody looks, the sum of the rows is what was counted.
    """

    __slots__ = ("_base", "_highest", "_layout", "_number", "_seen", "_step", "_unsaved", "rows")

    def __init__(self, layout: Layout, step: int) -> None:
        self.rows = Rows(layout, step, STEPS[step])
        self._layout = layout
        self._step = step
        self._base = self._seen = NOTHING
        self._highest: tuple[float, ...] | None = None
        self._number = 0
        self._unsaved = bytearray()

    def take(self, now: int, seen: Seen, before: Seen, levels: tuple[float, ...]) -> None:
        """What the second before `now` has brought; nothing came between `before` and that second."""
        number = (now - 1) // self._step
        if number != self._number and self._highest is not None:
            self.end()
        if self._highest is None:
            self._number, self._base, self._highest = number, before, levels
        elif levels != self._highest:
            self._highest = tuple(map(max, levels, self._highest))
        self._seen = seen
        if not now % self._step:
            self.end()

    def pass_by(self, now: int) -> bool:
        """End the period if its time is over; whether one is open."""
        if self._highest is not None and (now - 1) // self._step > self._number:
            self.end()
        return self._highest is not None

    def end(self) -> None:
        """Write the row of the period that is open, if one is."""
        row = self.unfinished()
        if row is None:
            return
        packed = self._layout.pack(row)
        self.rows.add(packed, row[0])
        if self._step in SAVED:
            self._unsaved += packed
        self._highest = None

    def take_unsaved(self) -> bytes:
        """The packed rows since this was called last, where those of this step are kept on disk."""
        rows, self._unsaved = bytes(self._unsaved), bytearray()
        return rows

    def unfinished(self) -> Row | None:
        """The row of the period that is not over, as far as it was seen."""
        if self._highest is None:
            return None
        seen, base, layout = self._seen, self._base, self._layout
        values = list(map(sub, seen.values, base.values))
        for place in layout.lasts:
            values[place] = seen.values[place]
        for place, level in zip(layout.levels, self._highest, strict=True):
            values[place] = level
        for place, now, before in zip(layout.quantiles, seen.buckets, base.buckets, strict=False):
            times = NONE if now == before else estimate_quantiles(list(map(sub, now, before)), BOUNDS)
            values[place : place + len(times)] = times
        return (self._number * self._step, *values)


class Series:
    """All that is kept of one thing."""

    __slots__ = ("latest", "layout", "periods")

    def __init__(self, scope: Scope) -> None:
        self.layout = LAYOUTS[scope]
        self.periods = {step: Period(self.layout, step) for step in STEPS}
        self.latest = 0
        """When it was looked at last."""

    def take(self, now: int, seen: Seen, before: Seen) -> None:
        """One look, at the end of the second before `now` (of the history's axis), and the look before it."""
        self.latest, levels = now, self.layout.levels_of(seen.values)
        for period in self.periods.values():
            period.take(now, seen, before, levels)

    def pass_by(self, now: int) -> bool:
        """Nothing is to be seen; whether a period is open all the same."""
        still_open = [period.pass_by(now) for period in self.periods.values()]
        return any(still_open)

    def end(self) -> None:
        """Write what is open: nothing comes any more."""
        for period in self.periods.values():
            period.end()

    def since(self, at: int, step: int) -> Iterator[Row]:
        """Rows of this step from the time `at` on, the last perhaps of a period that is not over."""
        period = self.periods[step]
        yield from period.rows.since(at)
        row = period.unfinished()
        if row is not None and row[0] >= at:
            yield row

    @property
    def last(self) -> int:
        """The time of its newest row."""
        return max(period.rows.last for period in self.periods.values())

    @property
    def size(self) -> int:
        """Bytes of its rows."""
        return sum(period.rows.size for period in self.periods.values())
