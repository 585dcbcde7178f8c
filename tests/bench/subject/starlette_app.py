"""The measured function inline in starlette, with no isolation: what it would cost to have no host."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.bench.subject.index import index


async def invoke(request: Request) -> JSONResponse:
    """Run the function on the event loop."""
    return JSONResponse(index(await request.json(), None))


app = Starlette(routes=[Route("/", invoke, methods=["POST"])])
