"""The HTTP trigger: `POST /invoke/{function}` in plain ASGI, since what it costs is paid per event."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from secrets import token_hex
from typing import NamedTuple

from runtime.events import Answer, Dispatch, Event, Foresee, InvocationError, encode_metadata, new_id
from triggers.asgi import Exchange, Receive, Scope, Send, exchange_of
from triggers.bodies import Bodies, too_large
from triggers.http_answers import HostFailedError, encode_plain, send_accepted, send_answer, send_problem
from triggers.http_streams import EVENTS, Taker, send_stream
from triggers.invocations.wish import Wish, read_wish
from triggers.store.rows import Invocation
from triggers.trace_context import PARENT, STATE, Trace, read_trace

logger = logging.getLogger(__name__)

Accept = Callable[[str, Event, Wish], Awaitable[Invocation]]
"""Puts an asynchronous event on disk; raises InvocationError (`triggers/invocations/acceptance.py`)."""

Admit = Callable[["Caller", str], str]
"""Who a caller at an address is, for taking turns and quotas; raises InvocationError if it may not call.

It is asked once per event or oftener, and changes nothing."""

PREFIX = "/invoke/"
KNOWN_CALLERS = 128
_ID = re.compile(r"\w[\w.-]{0,63}", re.ASCII)
SECRET = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"x-csrf-token"})
"""What opens something, here or elsewhere: a browser sends its cookies to functions as well."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What a request says before its body; `length` is in bytes, 0 when it is not told.

    `wish` is None for those who wait for the answer; `events` says that they take Server-Sent Events.
    `authorization` is the header of that name, which the function never sees.
    """

    target: str
    metadata: bytes
    content_type: str | None
    length: int
    request_id: str | None
    wish: Wish | None
    events: bool
    authorization: bytes


@lru_cache(KNOWN_CALLERS)
def read_caller(path: str, query: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> Caller:
    """Read a request's head. A device sends the same one again and again, so it is read once."""
    told = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers if name not in SECRET}
    meta: dict[str, object] = {
        "method": "POST",
        "path": path,
        "query": query.decode("latin-1"),
        "headers": told,
        **(_trace_of(headers) if PARENT in told else {}),
    }
    request_id = told.get("x-request-id", "")
    return Caller(
        path[len(PREFIX) :],
        encode_metadata("http", "http", meta),
        told.get("content-type"),
        int(told.get("content-length", "0")),
        request_id if _ID.fullmatch(request_id) else None,
        read_wish(headers),
        EVENTS in told.get("accept", "").lower(),
        next((value for name, value in headers if name == b"authorization"), b""),
    )


def _trace_of(headers: Iterable[tuple[bytes, bytes]]) -> Trace:
    said = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    return read_trace(*([value for name, value in said if name == wanted] for wanted in (PARENT, STATE)))


class Asked(NamedTuple):
    """One request: who asks, from where (an address, or empty), under which id."""

    caller: Caller
    peer: str
    request_id: str


def admit_all(caller: Caller, peer: str) -> str:
    """Nobody needs a token; who calls is where the call comes from."""
    return peer


def foresee_nothing(target: str, event: Event) -> None:
    """Every event is dispatched."""


@dataclass(frozen=True)
class Checks:
    """What a request passes before its event is dispatched; `foresee` before its body is read."""

    admit: Admit = admit_all
    foresee: Foresee = foresee_nothing
    bodies: Bodies = field(default_factory=Bodies)


class HttpTrigger:
    """An ASGI application; `max_body` is in bytes, and may be changed, as `bodies.most` may."""

    def __init__(self, dispatch: Dispatch, max_body: int, accept: Accept, checks: Checks) -> None:
        self._dispatch = dispatch
        self._accept = accept
        self._admit = checks.admit
        self._foresee = checks.foresee
        self.bodies = checks.bodies
        self.max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        caller = read_caller(scope["path"], scope["query_string"], tuple(scope["headers"]))
        # The id of an asynchronous event is what its result is fetched with.
        request_id = caller.request_id or (new_id() if caller.wish is None else token_hex(16))
        asked = Asked(caller, (scope.get("client") or ("",))[0], request_id)
        exchange = exchange_of(scope)
        try:
            if scope["method"] != "POST":
                raise MethodNotAllowedError(f"invoke with POST, not {scope['method']}")
            self._admit(caller, asked.peer)  # before a byte of the body is read
            if caller.length > self.max_body:
                raise too_large(self.max_body)
            body = exchange.body() if exchange is not None else None
            if body is None:
                if caller.wish is None:
                    self._foresee(caller.target, self._event(asked, b""))
                body = await self.bodies.read(receive, self.max_body)
            if caller.wish is not None:
                event = self._event(asked, body)
                await send_accepted(send, await self._accept(caller.target, event, caller.wish), caller.wish)
                return
        except InvocationError as error:
            await send_problem(send, error, asked.request_id)
        else:
            await self.answer(asked, self.submit(asked, body), send, exchange)

    def submit(self, asked: Asked, body: bytes) -> "asyncio.Future[Answer]":
        """Dispatch the event of one who waits; whatever fails, the future raises it."""
        try:
            return self._dispatch(asked.caller.target, self._event(asked, body))
        except Exception as error:  # noqa: BLE001 - `answer` tells the caller, and logs what is the host's own
            refused: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    def _event(self, asked: Asked, body: bytes) -> Event:
        caller = asked.caller
        return Event(
            body,
            caller.content_type,
            "http",
            "http",
            caller.metadata,
            asked.request_id,
            caller=self._admit(caller, asked.peer),
            streams=caller.wish is None,
        )

    async def answer(
        self, asked: Asked, future: "asyncio.Future[Answer]", send: Send, exchange: Exchange | None
    ) -> None:
        """Send what the future will hold, whatever it is; cancel it when the caller hangs up."""
        if exchange is not None:
            exchange.when_gone(future.cancel)
        try:
            answer = await _result(future, asked)
            lines = encode_plain(answer, asked.request_id)
            if lines is not None and exchange is not None and exchange.answer(200, lines, answer.body or b""):
                return
            if answer.stream is None:
                await send_answer(send, answer, asked.request_id)
            else:
                taker = Taker(send, asked.request_id, asked.caller.events, exchange)
                await send_stream(taker, answer, answer.stream)
        except InvocationError as error:
            await send_problem(send, error, asked.request_id)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise


async def _result(future: "asyncio.Future[Answer]", asked: Asked) -> Answer:
    try:
        return await future
    except InvocationError:
        raise
    except Exception as error:
        logger.exception(
            "the host failed on the event %s for %s",
            asked.request_id,
            asked.caller.target,
            extra={"id": asked.request_id},
        )
        raise HostFailedError("the host failed on this event; its log says how") from error


class MethodNotAllowedError(InvocationError):
    """Functions are invoked with POST."""

    status = 405
