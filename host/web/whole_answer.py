"""uvicorn's protocol with one addition: small requests and answers pass as a whole.

ASGI has an application wait for a request's body and send an answer's head and body one after the other; each
of the two is a system call and a segment of its own. A server may offer more through `scope["extensions"]`;
this one offers `fnhost.exchange` (`docs/decisions/a-whole-answer-is-one-write.md` says what it is worth).
"""

import asyncio
import http
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

EXCHANGE = "fnhost.exchange"
LOOKS_PER_LIMIT = 5


class Exchange:
    """One request and its answer."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        """The request's body if all of it is here already; None: receive it as ASGI has it."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        return bytes(cycle.body)

    def answer(self, status: int, headers: bytes, body: bytes) -> None:
        """Send a whole answer; `headers` are lines that end with CR LF, and tell the body's length."""
        cycle = self._cycle
        if cycle.disconnected or cycle.response_started:
            return
        cycle.response_started = cycle.response_complete = True
        ours = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
        closing = b"" if cycle.keep_alive else b"connection: close\r\n"
        cycle.transport.write(b"%b%b%b%b\r\n%b" % (_status_line(status), ours, headers, closing, body))
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()


class WholeAnswerProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, an `Exchange` for each request, and no timer for each answer.

    `idle_since` is the event loop's time of the last answer, or of the connection itself.
    """

    idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller has connected."""
        super().connection_made(transport)
        self.idle_since = self.loop.time()

    def on_response_complete(self) -> None:
        """As uvicorn's, but for the timer that would close the connection: `close_idle` looks after all."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.idle_since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def on_headers_complete(self) -> None:
        """A request's head is read; the application begins in the next turn of the loop."""
        super().on_headers_complete()
        self.scope["extensions"] = {EXCHANGE: Exchange(self.cycle)}  # type: ignore[dict-item]


async def close_idle(state: ServerState, limit: float) -> None:
    """Close connections on which nothing was asked for `limit` seconds; runs until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(limit / LOOKS_PER_LIMIT)
        latest = loop.time() - limit
        for connection in list(state.connections):
            if isinstance(connection, WholeAnswerProtocol) and connection.idle_since < latest:
                busy = connection.cycle is not None and not connection.cycle.response_complete
                if not busy:
                    connection.transport.close()


@lru_cache(600)
def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
