"""The tab `metrics` of a function's page: charts of its history, and its instances one by one."""

from typing import Any

from starlette.requests import Request

from host.console.ground import Ground
from host.console.live.source import Source
from host.console.page import Shown, Tab
from host.observing.history.axis import Axis
from host.observing.history.derived import shown_columns
from host.observing.history.history import History
from host.observing.history.series import Series

SPANS = {"5m": 300, "15m": 900, "2h": 7200, "24h": 86400}
"""Seconds that the charts may show."""
USUAL = "15m"
RECENT = 4
"""Seconds after its last row for which an instance is shown."""


def make(ground: Ground) -> Tab:
    """The tab, and the channel `instances:NAME`."""
    observing = ground.observing
    source = InstancesSource(observing.history, observing.axis)
    return Tab("metrics", load, charts=True, sources=(source,))


async def load(request: Request) -> Shown:
    """Which span is shown."""
    asked = request.query_params.get("span", USUAL)
    return {"spans": SPANS, "span": asked if asked in SPANS else USUAL}


class InstancesSource(Source):
    """Tells the last second of each instance of a function."""

    name = "instances"
    items = True

    def __init__(self, history: History, axis: Axis) -> None:
        self._history = history
        self._axis = axis

    def tell(self, item: str) -> Any:
        """A row for each."""
        since = int(self._axis.now()) - RECENT
        found = (
            (key.instance, self._last(series, since)) for key, series in self._history.find("instance", item)
        )
        return {"instances": [{"instance": instance, **row} for instance, row in found if row]}

    def _last(self, series: Series, since: int) -> dict[str, Any] | None:
        row = max(series.since(since, 1), default=None)
        return {each.name: each.value(row) for each in shown_columns("instance")} if row else None
