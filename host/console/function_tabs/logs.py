"""The tab `logs` of a function's page: its last lines and those that come, filtered."""

from starlette.requests import Request

from host.console.ground import Ground
from host.console.page import Shown, Tab
from host.logs.query import LEVELS

SPANS = ("5m", "1h", "24h")


def make(ground: Ground) -> Tab:
    """The tab; its script follows the log as the API tells it."""
    return Tab("logs", load)


async def load(request: Request) -> Shown:
    """What the filters offer, and what the address asks for."""
    names = ("level", "text", "regex", "invocation", "revision", "since")
    asked = {name: request.query_params.get(name, "") for name in names}
    return {"levels": tuple(LEVELS), "spans": SPANS, "asked": asked}
