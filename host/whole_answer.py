"""uvicorn's protocol with one addition: an answer that is whole goes out in one write.

ASGI lets an application send an answer's head and its body only one after the other, and each is a system
call and a segment of its own. A server may offer more through `scope["extensions"]`; this one offers
`fnhost.answer`, which is worth a fifth of what the host spends on a small event (`docs/benchmarks.md`).
"""

import http
from functools import lru_cache, partial

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

ANSWER = "fnhost.answer"


class WholeAnswerProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it, and `answer(status, headers, body)` for whole answers.

    `headers` are lines that end with CR LF, and tell the body's length.
    """

    def on_headers_complete(self) -> None:
        """A request's head is read; the application begins in the next turn of the loop."""
        super().on_headers_complete()
        self.scope["extensions"] = {ANSWER: partial(_answer, self.cycle)}  # type: ignore[dict-item]


def _answer(cycle: RequestResponseCycle, status: int, headers: bytes, body: bytes) -> None:
    if cycle.disconnected or cycle.response_started:
        return
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    ours = b"".join([b"%b: %b\r\n" % header for header in cycle.default_headers])
    closing = b"" if cycle.keep_alive else b"connection: close\r\n"
    cycle.transport.write(b"%b%b%b%b\r\n%b" % (_status_line(status), ours, headers, closing, body))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()


@lru_cache(600)
def _status_line(status: int) -> bytes:
    try:
        phrase = http.HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode()
