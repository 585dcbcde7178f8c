"""The HTTP side of the host: one port, the invocations in plain ASGI, everything else in Starlette."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from host.lifecycle import Part, PartError
from host.whole_answer import WholeAnswerProtocol
from triggers.http import PREFIX, HttpTrigger, Receive, Scope, Send

GRACE = 20
KEEP_ALIVE = 75
BACKLOG = 2048
MAX_CONNECTIONS = 4096


class FrontDoor:
    """Sends `/invoke/…` one way and all else the other."""

    def __init__(self, trigger: HttpTrigger, api: object) -> None:
        self._trigger = trigger
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["path"].startswith(PREFIX):
            await self._trigger(scope, receive, send)
        else:
            await self._api(scope, receive, send)  # type: ignore[operator]


class _Server(uvicorn.Server):
    """The host handles signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


class WebPart(Part):
    """Listens last and stops listening first."""

    name = "web"
    priority = 900
    stop_limit = GRACE + 10.0

    def __init__(self, application: FrontDoor, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._server = _Server(
            uvicorn.Config(
                application,
                http=WholeAnswerProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
                backlog=BACKLOG,
                limit_concurrency=MAX_CONNECTIONS,
            )
        )
        self._socket: socket.socket | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """`http://127.0.0.1:5888`, with the real port once the socket is bound."""
        port = self._socket.getsockname()[1] if self._socket else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"

    async def setup(self) -> None:
        """Take the port, so that one that is not to be had is told before anything starts."""
        try:
            self._socket = socket.create_server(
                (self._host, self._port),
                family=socket.AF_INET6 if ":" in self._host else socket.AF_INET,
                backlog=BACKLOG,
            )
        except OSError as error:
            why = error.strerror or str(error)
            raise PartError(
                f"cannot listen on {self._host}:{self._port}: {why}; choose another with --listen"
            ) from None

    async def start(self) -> None:
        """Accept connections."""
        assert self._socket is not None
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        # uvicorn tells nobody when it has started.
        while not self._server.started and not self._serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Accept no more, and answer what was accepted."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
