"""The overview: what is wrong first, then what the host does."""

from host.console.ground import Ground
from host.console.live.metrics import MetricsSource
from host.console.page import Page, Piece


def make(ground: Ground) -> Piece:
    """The page, and the channels of the history."""
    observing, functions = ground.observing, ground.watched.catalog.functions
    metrics = MetricsSource(observing.history, observing.axis, lambda: functions)
    return Piece((Page("overview", charts=True),), (metrics,))
