"""uvicorn's protocol with one addition: small requests and answers pass as a whole.

ASGI has an application wait for a request's body and send an answer's head and body one after the other; each
of the two is a system call and a segment of its own. A server may offer more through `scope["extensions"]`;
this one offers `fnhost.exchange`, which is worth a quarter of what the host spends on a small event
(`docs/decisions/a-whole-answer-is-one-write.md`).
"""

import http
from functools import lru_cache

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

EXCHANGE = "fnhost.exchange"


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
    """HTTP/1.1 as uvicorn speaks it, and an `Exchange` for each request."""

    def on_headers_complete(self) -> None:
        """A request's head is read; the application begins in the next turn of the loop."""
        super().on_headers_complete()
        self.scope["extensions"] = {EXCHANGE: Exchange(self.cycle)}  # type: ignore[dict-item]


@lru_cache(600)
def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
