"""The channels `metrics` (of the host), `metrics:NAME` (of a function) and `metrics:*` (of all functions)."""

from collections.abc import Callable, Collection
from typing import Any

from host.console.live.source import Source
from host.observing.history.axis import Axis
from host.observing.history.columns import Scope
from host.observing.history.derived import Shown, shown_columns
from host.observing.history.history import History
from host.observing.history.rows import Row
from host.observing.history.series import Series

ALL = "*"
BRIEF = ("events", "failed", "refused", "run_p50", "run_p99", "queued", "in_flight", "idle", "busy", "memory")
"""What is told of all functions at once."""
BEGUN = 10
"""Seconds of rows that somebody who begins to look is told: what came before is at `/api/metrics`."""


class MetricsSource(Source):
    """Tells the rows of seconds that are over, as `/api/metrics` names their columns."""

    name = "metrics"
    items = True

    def __init__(self, history: History, axis: Axis, functions: Callable[[], Collection[str]]) -> None:
        self._history = history
        self._axis = axis
        self._functions = functions
        self._told: dict[str, int] = {}

    def opened(self, item: str) -> None:
        """Begin with what is newest."""
        if item not in ("", ALL) and item not in self._functions():
            raise KeyError(item)
        self._told[item] = self._over() - 1

    def closed(self, item: str) -> None:
        """Forget how far it was told."""
        self._told.pop(item, None)

    def begin(self, item: str) -> Any:
        """The newest rows."""
        return self._since(item, self._over() - BEGUN)

    def tell(self, item: str) -> Any:
        """Rows that came since the last time."""
        over, since = self._over(), self._told[item] + 1
        self._told[item] = over - 1
        return self._since(item, since)

    def _over(self) -> int:
        """The begin of the first second that is not over, or whose look may be on its way."""
        return int(self._axis.now() - 0.5)

    def _since(self, item: str, since: int) -> dict[str, Any]:
        scope: Scope = "function" if item else "host"
        wanted = shown_columns(scope)
        if item == ALL:
            wanted = tuple(each for each in wanted if each.name in BRIEF)
        found = self._history.find(scope, "" if item == ALL else item)
        told = {key.function: self._rows(series, since, wanted) for key, series in found}
        return {"functions": told} if item == ALL else {"rows": told.get(item, [])}

    def _rows(self, series: Series, since: int, wanted: tuple[Shown, ...]) -> list[dict[str, Any]]:
        rows = (row for row in series.since(since, 1) if row[0] < self._over())
        return [self._row(row, wanted) for row in rows]

    def _row(self, row: Row, wanted: tuple[Shown, ...]) -> dict[str, Any]:
        return {"time": row[0] + self._axis.shift, **{each.name: each.value(row) for each in wanted}}
