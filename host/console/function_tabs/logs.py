"""The tab `logs` of a function's page."""

from host.console.ground import Ground
from host.console.page import Tab


def make(ground: Ground) -> Tab:
    """The tab, and what keeps it live."""
    return Tab("logs")
