"""What the server offers the application for one request, beside ASGI's messages."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

if TYPE_CHECKING:
    from host.web.whole_answer import WholeAnswerProtocol


class Exchange:
    """One request and its answer (`triggers/asgi.py` says what each method is for)."""

    __slots__ = ("_connection", "_cycle", "_told")

    def __init__(self, connection: "WholeAnswerProtocol", cycle: RequestResponseCycle) -> None:
        self._connection = connection
        self._cycle = cycle
        self._told = b""

    def tell(self, headers: bytes) -> None:
        """Send these lines as well with a whole answer."""
        self._told = headers

    def body(self) -> bytes | None:
        """The request's body if all of it is here already; None: receive it as ASGI has it."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        return bytes(cycle.body)

    def answer(self, status: int, headers: bytes, body: bytes) -> bool:
        """Send a whole answer; `headers` are lines that end with CR LF, and tell the body's length."""
        cycle = self._cycle
        if cycle.disconnected or cycle.response_started or cycle.flow.write_paused:
            return False
        self._connection.write_whole(cycle, status, self._told + headers, body)
        return True

    def when_gone(self, forget: Callable[[], object]) -> None:
        """Call `forget` when the caller hangs up before its answer is complete; at once if it has."""
        if self._cycle.disconnected:
            forget()
        elif not self._cycle.response_complete:
            self._connection.watch(self._cycle, forget)

    def end_by_closing(self) -> bool:
        """Have the answer end with the connection if the caller knows no chunks; whether it does."""
        cycle = self._cycle
        if cycle.scope["http_version"] != "1.0":
            return False
        cycle.chunked_encoding = False
        cycle.expected_content_length = sys.maxsize
        return True

    def close(self, whole: bool) -> None:
        """End an answer with its connection; one that is not whole stays without its last chunk."""
        cycle = self._cycle
        cycle.response_complete = True
        cycle.disconnected = not whole
        cycle.message_event.set()
        cycle.transport.close()
        cycle.on_response()
