"""Which methods a path of the API has."""

from starlette.requests import Request
from starlette.routing import Match, Route


def allowed_methods(request: Request) -> str:
    """As the header `allow` tells them; a path may have several routes, each with methods of its own."""
    here = [each for each in request.app.routes if each.matches(request.scope)[0] != Match.NONE]
    return ", ".join(
        sorted({method for each in here if isinstance(each, Route) for method in each.methods or ()})
    )
