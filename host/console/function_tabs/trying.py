"""The tab `try` of a function's page."""

from host.access.scopes import INVOKE
from host.console.ground import Ground
from host.console.page import Tab


def make(ground: Ground) -> Tab:
    """The tab, and what keeps it live."""
    return Tab("try", verb=INVOKE)
