"""The measured function in starlette, with no isolation: what it would cost to have no host."""

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.bench.subject.index import index


async def invoke_inline(request: Request) -> JSONResponse:
    """Run the function on the event loop, which stands still meanwhile."""
    return JSONResponse(index(await request.json(), None))


async def invoke_in_thread(request: Request) -> JSONResponse:
    """Run the function in starlette's thread pool, as a model that takes its time has to."""
    return JSONResponse(await run_in_threadpool(index, await request.json(), None))


app = Starlette(
    routes=[
        Route("/inline", invoke_inline, methods=["POST"]),
        Route("/thread", invoke_in_thread, methods=["POST"]),
    ]
)
