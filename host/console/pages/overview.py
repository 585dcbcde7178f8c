"""The overview: what is wrong first, then what the host does."""

from host.console.ground import Ground
from host.console.live.decisions import DecisionsSource
from host.console.live.metrics import MetricsSource
from host.console.page import Page, Piece


def make(ground: Ground) -> Piece:
    """The page, and the channels of the history and of the decisions."""
    observing, functions = ground.observing, ground.watched.catalog.functions
    metrics = MetricsSource(observing.history, observing.axis, lambda: functions)
    decisions = DecisionsSource()
    observing.observers.add(decisions)
    return Piece((Page("overview", charts=True, namespaces=("decisions",)),), (metrics, decisions))
