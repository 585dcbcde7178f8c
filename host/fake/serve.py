"""Serves fake records on loopback until it is told to stop."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.fake.records import fake_records
from host.signals import told_to_stop

HOST = "127.0.0.1"
GRACE = 2


class _Server(uvicorn.Server):
    """It is told to stop by whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def make_application(seed: int) -> Starlette:
    """Answers each GET of a known path with that path's next record."""
    return Starlette(routes=[_route(path, records) for path, records in fake_records(seed).items()])


def take_port(port: int) -> socket.socket:
    """A socket that listens on `port` of loopback, any that is free for 0; raises OSError."""
    return socket.create_server((HOST, port))


def serve_records(listening: socket.socket, seed: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(listening, seed))


async def _serve(listening: socket.socket, seed: int) -> None:
    server = _Server(
        uvicorn.Config(
            make_application(seed),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    await told_to_stop()
    server.should_exit = True
    await serving


def _route(path: str, records: Iterator[bytes]) -> Route:
    async def answer(_request: Request) -> Response:
        return Response(next(records), media_type="application/json")

    return Route(path, answer, methods=["GET"])
