"""All series by their keys, as many as are allowed: what was looked at last stays."""

from collections.abc import Iterator

from host.observing.history.columns import SCOPES, Scope
from host.observing.history.rows import Rows
from host.observing.history.series import STEPS, Key, Seen, Series
from host.observing.slices import Slices

MOST: dict[Scope, int] = {"host": 1, "function": 1000, "instance": 1000}
"""Series of each scope that are kept; an instance leaves one behind when it ends."""
LONGEST = max(STEPS.values())


class History:
    """Holds the series; times are seconds of the history's axis."""

    def __init__(self) -> None:
        self._series: dict[Scope, dict[Key, Series]] = {scope: {} for scope in SCOPES}
        self._open: dict[Key, Series] = {}

    def take(self, key: Key, now: int, seen: Seen, before: Seen) -> None:
        """One look at something, at the end of the second before `now`, and the look before it."""
        series = self._open.get(key)
        if series is None:
            series = self._open[key] = self.series(key)
        series.take(now, seen, before)

    async def pass_by(self, now: int, slices: Slices) -> None:
        """A second is over: what was not seen in it ends its periods, and is then left alone."""
        for key, series in list(self._open.items()):
            if series.latest != now and not series.pass_by(now):
                del self._open[key]
            await slices.pause()

    def is_open(self, key: Key) -> bool:
        """Whether a period of this series is not over."""
        return key in self._open

    def end(self) -> None:
        """Write what is open."""
        for series in self._open.values():
            series.end()
        self._open.clear()

    def series(self, key: Key) -> Series:
        """The series of this key, an empty one if there is none."""
        kept = self._series[key.scope]
        series = kept.get(key)
        if series is None:
            if len(kept) >= MOST[key.scope]:
                self._make_room(key.scope)
            series = kept[key] = Series(key.scope)
        return series

    def _make_room(self, scope: Scope) -> None:
        """Give up a tenth, those that have been still for longest, so that it is seldom done."""
        kept = self._series[scope]
        still = sorted(kept, key=lambda key: (key in self._open, kept[key].last))
        for key in still[: max(1, len(kept) // 10)]:
            del kept[key]
            self._open.pop(key, None)

    def forget_old(self, now: int) -> None:
        """Give up series that have been still for as long as anything is kept: to be called now and then."""
        for kept in self._series.values():
            for key in [key for key, series in kept.items() if key not in self._open]:
                if kept[key].last < now - LONGEST:
                    del kept[key]

    def find(self, scope: Scope, function: str = "", instance: str = "") -> Iterator[tuple[Key, Series]]:
        """The series of this scope, of one function or one instance where such is named, by their names."""
        for key in sorted(self._series[scope], key=lambda each: (each.function, each.instance)):
            if (not function or key.function == function) and (not instance or key.instance == instance):
                yield key, self._series[scope][key]

    def all(self) -> list[tuple[Key, Series]]:
        """Those of all scopes."""
        return [pair for kept in self._series.values() for pair in kept.items()]

    def restore(self, key: Key, step: int, past: Rows) -> None:
        """Put rows of an earlier life before those there are; what is at work now does not give way to it."""
        if key in self._series[key.scope] or len(self._series[key.scope]) < MOST[key.scope]:
            self.series(key).periods[step].rows.precede(past)

    @property
    def size(self) -> int:
        """Bytes of all rows."""
        return sum(series.size for kept in self._series.values() for series in kept.values())
