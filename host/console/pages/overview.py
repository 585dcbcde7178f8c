"""The overview: what is wrong first, then what the host does."""

import asyncio
from typing import Any

from starlette.requests import Request

from host.console.brokers import list_brokers
from host.console.ground import Ground
from host.console.live.decisions import DecisionsSource
from host.console.live.metrics import MetricsSource
from host.console.live.overview import OverviewSource, mark_of
from host.console.page import Page, Piece, Shown
from host.console.problems import MOST_TOLD, Problems
from host.observing.history.derived import shown_columns
from host.observing.history.history import History

SPANS = {"15m": 900, "2h": 7200, "24h": 86400}
"""Seconds that the charts show, by their name in the address: those of the history's steps."""
NOW = ("events", "failed", "run_p99", "instances", "queued", "host_cpu_seconds", "cpu_seconds")
"""What the figures at the top are made of."""


def make(ground: Ground) -> Piece:
    """The page, and the channels of the overview, of the history and of the decisions."""
    observing, functions = ground.observing, ground.watched.catalog.functions
    problems, decisions = Problems(ground), DecisionsSource()
    observing.observers.add(decisions)
    overview = OverviewPage(ground, problems)
    page = Page(
        "overview",
        overview.load,
        namespaces=("decisions",),
        charts=True,
        parts={"problems": overview.load_problems, "brokers": overview.load_brokers},
    )
    metrics = MetricsSource(observing.history, observing.axis, lambda: functions)
    return Piece((page,), (metrics, decisions, OverviewSource(ground, problems)))


class OverviewPage:
    """What the page and its pieces are filled with."""

    def __init__(self, ground: Ground, problems: Problems) -> None:
        self._watched = ground.watched
        self._history = ground.observing.history
        self._problems = problems

    async def load(self, request: Request) -> Shown:
        """All of it; the charts are drawn by the script."""
        problems, brokers = await asyncio.gather(self.load_problems(request), self.load_brokers(request))
        span = request.query_params.get("span", "")
        memory = self._watched.scaling.scaler.memory
        now = {**newest(self._history), "memory_used": memory.used, "memory_budget": memory.budget}
        shown = {"spans": SPANS, "span": span if span in SPANS else "15m", "now": now}
        return {**problems, **brokers, **shown, "has_functions": bool(self._watched.catalog.functions)}

    async def load_problems(self, request: Request) -> Shown:
        """What is wrong; `more` are left out."""
        found = await self._problems.find()
        more = max(0, len(found) - MOST_TOLD)
        return {"problems": found[:MOST_TOLD], "more": more, "problems_mark": mark_of(found)}

    async def load_brokers(self, request: Request) -> Shown:
        """The brokers."""
        brokers = list_brokers(self._watched.mqtt.state())
        return {"brokers": brokers, "brokers_mark": mark_of(brokers)}


def newest(history: History) -> dict[str, Any]:
    """The host's last second that is over; nothing in its first."""
    found = [series for _, series in history.find("host")]
    rows = [row for series in found for row in series.since(series.periods[1].rows.last, 1)]
    columns = [each for each in shown_columns("host") if each.name in NOW]
    return {each.name: each.value(rows[-1]) for each in columns} if rows else {}
