"""The tab `revisions` of a function's page: what was deployed, newest first, and what its builds said."""

from starlette.requests import Request

from host.console.ground import Ground
from host.console.page import Shown, Tab


def make(ground: Ground) -> Tab:
    """The tab; the page has the revisions already."""
    return Tab("revisions", load)


async def load(request: Request) -> Shown:
    """How each state is marked."""
    return {"marks": {"ready": "good", "failed": "bad", "building": "warn"}}
