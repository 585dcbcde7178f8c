"""The HTTP side of the host: one port, the invocations in plain ASGI, everything else in Starlette."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import uvicorn

from conf.models import Expose
from conf.settings import Settings
from host.lifecycle import Part, PartError
from host.web.bounds import bounds_of
from host.web.certificates import Certificates
from host.web.crowd import Crowd
from host.web.front_door import FrontDoor
from host.web.known_heads import KnownHeads
from host.web.whole_answer import Grounds, WholeAnswerProtocol

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
GRACE = 20
BACKLOG = 2048
TICKS_PER_SECOND = 10
GOODBYE = 5.0
"""Seconds that a caller has to take its leave from a connection with TLS."""
HEADERS = [("x-content-type-options", "nosniff")]
OVER_TLS = [("strict-transport-security", "max-age=2592000")]
"""Thirty days: a gateway is often known by one name with services that speak no TLS."""


@dataclass(frozen=True)
class Door:
    """What the sockets lead to; `certificates` is None for plain HTTP."""

    application: FrontDoor
    heads: KnownHeads
    certificates: Certificates | None


class _Server(uvicorn.Server):
    """The host handles signals itself; once a second it looks at its clock and at all connections."""

    def __init__(self, config: uvicorn.Config, grounds: Grounds, certificates: Certificates | None) -> None:
        super().__init__(config)
        self.grounds = grounds
        self._leaving = asyncio.Event()
        self._tls: dict[str, Any] = {}
        if certificates is not None:
            patience = grounds.crowd.bounds.header_time
            times = {"ssl_handshake_timeout": patience, "ssl_shutdown_timeout": GOODBYE}
            self._tls = {"ssl": certificates.context, **times}

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, for sockets that are bound, with the times of TLS."""
        loop = asyncio.get_running_loop()
        make = partial(WholeAnswerProtocol, self.grounds, self.config, self.server_state, {})
        self.servers = [
            await loop.create_server(make, sock=each, backlog=BACKLOG, **self._tls) for each in sockets or ()
        ]
        self.started = True

    def leave(self) -> None:
        """Accept no more, and answer what was accepted."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """As uvicorn's, which wakes ten times a second to see whether it should end."""
        ticks = 0
        while not await self.on_tick(ticks):
            await self.grounds.crowd.look()
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

    def __init__(self, door: Door, settings: Settings) -> None:
        self._host = settings.listen_host
        self._port = settings.listen_port
        self._scheme = "https" if door.certificates else "http"
        self._exposed = [port for each in settings.config.expose if (port := http_port(each)) is not None]
        crowd = Crowd(bounds_of(settings.config.limits), asyncio.get_running_loop().time)
        config = uvicorn.Config(
            door.application,
            interface="asgi3",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            headers=[*HEADERS, *(OVER_TLS if door.certificates else ())],
            timeout_graceful_shutdown=GRACE,
        )
        self._server = _Server(config, Grounds(door.heads, crowd), door.certificates)
        self._sockets: list[socket.socket] = []
        self._serving: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The host and the port of each socket, once they are bound."""
        ports = [each.getsockname()[1] for each in self._sockets]
        return list(zip([self._host, *([LOOPBACK] * len(ports))], ports, strict=False))

    @property
    def address(self) -> str:
        """`http://127.0.0.1:5888`, with the real port once the socket is bound."""
        port = self._sockets[0].getsockname()[1] if self._sockets else self._port
        return self._url(self._host, port)

    @property
    def urls(self) -> list[str]:
        """Those of all sockets that are bound."""
        return [self._url(host, port) for host, port in self.addresses]

    def _url(self, host: str, port: int) -> str:
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    async def setup(self) -> None:
        """Take the port, so that one that is not to be had is told before anything starts."""
        try:
            self._sockets.append(bind(self._host, self._port))
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
            raise PartError(
                f"cannot listen on {self._host}:{self._port}: {why}; `fnhost doctor` says who does,"
                " or choose another with --listen"
            ) from None
        for port in self._exposed:
            self._expose(port)

    def _expose(self, port: int) -> None:
        """A second port, for those to whom the old config promised it; the host does without if it must."""
        try:
            self._sockets.append(bind(LOOPBACK, port))
        except OSError as error:
            logger.warning("`expose` asks for port %d, which cannot be had: %s", port, error.strerror)
        else:
            logger.warning("`expose` opens port %d, on loopback only", port)

    async def start(self) -> None:
        """Accept connections."""
        self._serving = asyncio.create_task(self._server.serve(sockets=self._sockets))
        # uvicorn tells nobody when it has started.
        while not self._server.started and not self._serving.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """Accept no more, and answer what was accepted."""
        self._server.leave()
        if self._serving is not None:
            await self._serving


def http_port(expose: Expose) -> int | None:
    """The port that an `expose` entry asks the host to open, if it is one for HTTP."""
    scheme, _, port = expose.protocol_port.partition("://:")
    return int(port) if scheme == "http" else None


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)
