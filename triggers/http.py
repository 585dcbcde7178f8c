"""The HTTP trigger: `POST /invoke/{function}` in plain ASGI, since what it costs is paid per event."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from runtime.events import (
    Answer,
    Dispatch,
    Event,
    FunctionRaisedError,
    InvocationError,
    TooLargeError,
    encode_metadata,
    new_id,
)
from triggers.delivery.rows import Invocation
from triggers.invocations.wish import Wish, read_wish

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Accept = Callable[[str, Event, Wish], Awaitable[Invocation]]
"""Puts an asynchronous event on disk; raises InvocationError (`triggers/invocations/acceptance.py`)."""

PREFIX = "/invoke/"
INVOCATIONS = "/api/invocations/"
TITLES = {
    400: "The function does not accept this input",
    404: "Unknown function",
    405: "Method not allowed",
    409: "The invocation is another's, or has ended",
    413: "The event is too large",
    429: "Too many events",
    500: "The function failed",
    502: "The instance died",
    503: "The function is not available",
    504: "The deadline passed",
    507: "There is no room for the result",
}
NO_BODY = (204, 304)
KNOWN_CALLERS = 128
EXCHANGE = "fnhost.exchange"
"""The server's extension for small requests and answers, where it has it (`host/web/whole_answer.py`)."""
LARGE = 64 * 1024
_ID = re.compile(r"\w[\w.-]{0,63}", re.ASCII)
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Half of a surrogate pair is no character, and no encoding says it.
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]*")
OURS = frozenset({"content-length", "content-type", "transfer-encoding", "connection", "x-request-id"})
SECRET = frozenset({b"authorization", b"proxy-authorization"})


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says before its body; `length` is in bytes, 0 when it is not told.

    `wish` is None for those who wait for the answer.
    """

    target: str
    metadata: bytes
    content_type: str | None
    length: int
    request_id: str | None
    wish: Wish | None


@lru_cache(KNOWN_CALLERS)
def read_caller(path: str, query: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> Caller:
    """Read a request's head. A device sends the same one again and again, so it is read once."""
    told = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name not in SECRET}
    meta: dict[str, object] = {
        "method": "POST",
        "path": path,
        "query": query.decode("latin-1"),
        "headers": told,
    }
    request_id = told.get("x-request-id", "")
    return Caller(
        path[len(PREFIX) :],
        encode_metadata("http", "http", meta),
        told.get("content-type"),
        int(told.get("content-length", "0")),
        request_id if _ID.fullmatch(request_id) else None,
        read_wish(headers),
    )


class HttpTrigger:
    """An ASGI application; `max_body` is in bytes, and may be changed."""

    def __init__(self, dispatch: Dispatch, max_body: int, accept: Accept) -> None:
        self._dispatch = dispatch
        self._accept = accept
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        caller = read_caller(scope["path"], scope["query_string"], tuple(scope["headers"]))
        request_id = caller.request_id or new_id()
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowedError(f"invoke with POST, not {scope['method']}")
            if caller.length > self.max_body:
                raise self._too_large()
            exchange = scope["extensions"].get(EXCHANGE) if "extensions" in scope else None
            body = exchange.body() if exchange is not None else None
            if body is None:
                body = await self._read(receive)
            event = Event(body, caller.content_type, "http", "http", caller.metadata, request_id)
            if caller.wish is not None:
                await _send_accepted(send, await self._accept(caller.target, event, caller.wish), caller.wish)
                return
            answer = await self._dispatch(caller.target, event)
            if exchange is None or not _answer_whole(exchange, answer, request_id):
                await _send_answer(send, answer, request_id)
        except InvocationError as error:
            await send_problem(send, error, request_id)

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise InvocationError("the caller went away while it sent the event")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.max_body:
                raise self._too_large()
            more = message.get("more_body", False)
        return b"".join(parts)

    def _too_large(self) -> TooLargeError:
        return TooLargeError(f"an event may have {self.max_body} bytes at most (`limits.max_body`)")


class MethodNotAllowedError(InvocationError):
    """Functions are invoked with POST."""

    status = 405


def _answer_whole(exchange: Any, answer: Answer, request_id: str) -> bool:
    """Send a plain and small answer in one write; False for any other."""
    body = answer.body
    if body is None or len(body) >= LARGE or answer.headers or answer.status != 200:
        return False
    told = _told_of(answer.revision, answer.content_type)
    headers = b"x-request-id: %b\r\n%bcontent-length: %d\r\n" % (request_id.encode(), told, len(body))
    exchange.answer(200, headers, body)
    return True


@lru_cache(256)
def _told_of(revision: str, content_type: str) -> bytes:
    kind = _check_content_type(content_type)
    return b"x-function-revision: %b\r\ncontent-type: %b\r\n" % (_quote(revision), kind)


async def _send_accepted(send: Send, invocation: Invocation, wish: Wish) -> None:
    place = INVOCATIONS + invocation.id
    told = {
        "id": invocation.id,
        "function": invocation.function,
        "state": invocation.state,
        "location": place,
    }
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"location", place.encode()),
        (b"x-request-id", invocation.id.encode()),
    ]
    if wish.preferred:
        headers.append((b"preference-applied", b"respond-async"))
    await send({"type": "http.response.start", "status": 202, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _send_answer(send: Send, answer: Answer, request_id: str) -> None:
    status, headers, body = encode_answer(answer)
    headers.append((b"x-request-id", request_id.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def encode_answer(answer: Answer) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body of a function's answer; raises FunctionRaisedError for one HTTP cannot say."""
    body = b"" if answer.body is None else answer.body
    status = 204 if answer.body is None else answer.status
    headers = [(b"x-function-revision", _quote(answer.revision)), *_check_response(answer, status)]
    if status in NO_BODY:
        body = b""
    else:
        headers.append((b"content-type", _check_content_type(answer.content_type)))
        headers.append((b"content-length", b"%d" % len(body)))
    return status, headers, body


def _check_response(answer: Answer, status: int) -> list[tuple[bytes, bytes]]:
    if not 200 <= status <= 599:
        raise _bad_response(f"status {status} is not between 200 and 599")
    checked = []
    for name, value in answer.headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise _bad_response(f"the header {name[:40]!r} has a character that HTTP does not allow")
        if name.lower() not in OURS:
            checked.append((name.lower().encode(), value.encode("utf-8")))
    return checked


def _check_content_type(content_type: str) -> bytes:
    if not _HEADER_VALUE.fullmatch(content_type):
        raise _bad_response("its content type has a character that HTTP does not allow")
    return content_type.encode("latin-1", "replace")


def _bad_response(why: str) -> FunctionRaisedError:
    return FunctionRaisedError("ResponseError", f"the Response cannot be sent: {why}", [])


def _quote(revision: str) -> bytes:
    # Header values are Latin-1; names of functions may be Chinese.
    return revision.encode("ascii", "backslashreplace")


def problem(error: InvocationError, request_id: str) -> dict[str, object]:
    """The body of an answer that is none, after RFC 9457."""
    told: dict[str, object] = {
        "type": "about:blank",
        "title": TITLES.get(error.status, "The invocation failed"),
        "status": error.status,
        "detail": str(error),
        "requestId": request_id,
        "errorType": type(error).__name__.removesuffix("Error"),
        "errorMessage": str(error),
    }
    if isinstance(error, FunctionRaisedError):
        told |= {"errorType": error.error_type, "errorMessage": error.message, "stackTrace": error.stack}
    return told


async def send_problem(send: Send, error: InvocationError, request_id: str) -> None:
    """Answer with `application/problem+json`."""
    body = json.dumps(problem(error, request_id), ensure_ascii=False).encode("utf-8", "replace")
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
    ]
    if error.retry_after is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(error.retry_after))))
    if error.status == 405:
        headers.append((b"allow", b"POST"))
    if error.status == 413:
        # The rest of the body is not read: this connection cannot be used again.
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
