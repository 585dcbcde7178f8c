"""The HTTP side of the host: one port, the invocations in plain ASGI, everything else in Starlette."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import uvicorn

from conf.models import Expose
from conf.settings import Settings
from host.lifecycle import Part, PartError
from host.web.known_heads import KnownHeads
from host.web.whole_answer import WholeAnswerProtocol, close_idle
from triggers.asgi import Receive, Scope, Send
from triggers.http import PREFIX, HttpTrigger

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
GRACE = 20
KEEP_ALIVE = 75
BACKLOG = 2048
TICKS_PER_SECOND = 10
MAX_CONNECTIONS = 4096


Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class FrontDoor:
    """Sends `/invoke/…` one way and all else the other."""

    def __init__(self, trigger: HttpTrigger, api: Application) -> None:
        self.trigger = trigger
        self._api = api

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """One request, to be awaited; without a coroutine of its own in between."""
        application = self.trigger if scope["path"].startswith(PREFIX) else self._api
        return application(scope, receive, send)


class _Server(uvicorn.Server):
    """The host handles signals itself; once a second it looks at its clock, for the header `date`."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Accept no more, and answer what was accepted."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """As uvicorn's, which wakes ten times a second to see whether it should end."""
        ticks = 0
        while not await self.on_tick(ticks):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 1.0)
            ticks += TICKS_PER_SECOND

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


class WebPart(Part):
    """Listens last and stops listening first."""

    name = "web"
    priority = 900
    stop_limit = GRACE + 10.0

    def __init__(self, application: FrontDoor, settings: Settings) -> None:
        self._host = settings.listen_host
        self._port = settings.listen_port
        self._exposed = [port for each in settings.config.expose if (port := http_port(each)) is not None]
        self._server = _Server(
            uvicorn.Config(
                application,
                http=partial(WholeAnswerProtocol, KnownHeads(application.trigger)),  # type: ignore[arg-type]
                interface="asgi3",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE,
                backlog=BACKLOG,
                limit_concurrency=MAX_CONNECTIONS,
            )
        )
        self._sockets: list[socket.socket] = []
        self._serving: asyncio.Task[None] | None = None
        self._reaping: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """`http://127.0.0.1:5888`, with the real port once the socket is bound."""
        port = self._sockets[0].getsockname()[1] if self._sockets else self._port
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{port}"

    async def setup(self) -> None:
        """Take the port, so that one that is not to be had is told before anything starts."""
        try:
            self._sockets.append(_bind(self._host, self._port))
        except OSError as error:
            why = error.strerror or str(error)
            raise PartError(
                f"cannot listen on {self._host}:{self._port}: {why}; choose another with --listen"
            ) from None
        for port in self._exposed:
            self._expose(port)

    def _expose(self, port: int) -> None:
        """A second port, for those to whom the old config promised it; the host does without if it must."""
        try:
            self._sockets.append(_bind(LOOPBACK, port))
        except OSError as error:
            logger.warning("`expose` asks for port %d, which cannot be had: %s", port, error.strerror)
        else:
            logger.warning("`expose` opens port %d, on loopback only since callers need no token", port)

    async def start(self) -> None:
        """Accept connections."""
        self._serving = asyncio.create_task(self._server.serve(sockets=self._sockets))
        # uvicorn tells nobody when it has started.
        while not self._server.started and not self._serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        self._reaping = asyncio.create_task(close_idle(self._server.server_state, KEEP_ALIVE))

    async def stop(self) -> None:
        """Accept no more, and answer what was accepted."""
        self._server.leave()
        if self._reaping is not None:
            self._reaping.cancel()
        if self._serving is not None:
            await self._serving


def http_port(expose: Expose) -> int | None:
    """The port that an `expose` entry asks the host to open, if it is one for HTTP."""
    scheme, _, port = expose.protocol_port.partition("://:")
    return int(port) if scheme == "http" else None


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
