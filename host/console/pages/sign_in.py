"""Where a token becomes a session."""

from starlette.requests import Request

from host.console.ground import Ground
from host.console.page import Page, Piece, Shown


def make(ground: Ground) -> Piece:
    """The page; everybody may see it."""
    return Piece((Page("sign-in", load_sign_in, verb=""),))


async def load_sign_in(request: Request) -> Shown:
    """Where to go afterwards: a page of this host, whatever the address says."""
    wanted = request.query_params.get("next", "/")
    return {"next": wanted if wanted == "/" or wanted.startswith("/console/") else "/"}
