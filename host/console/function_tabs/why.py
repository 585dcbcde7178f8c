"""The tab `why` of a function's page: the load, what was decided about its instances, and the reasons."""

from host.console.ground import Ground
from host.console.page import Tab


def make(ground: Ground) -> Tab:
    """The tab; its script asks the API, and hears the channels `metrics:NAME` and `decisions`."""
    return Tab("why", namespaces=("decisions",), charts=True)
