"""What travels between triggers and functions: events, answers, and the ways an invocation fails."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

# Made once: json.dumps makes an encoder for each call that asks for anything of its own.
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def new_id() -> str:
    """32 hexadecimal digits that no other event has (128 random bits); not a secret."""
    return random.randbytes(16).hex()  # noqa: S311 - tells events apart, guards nothing


@dataclass(slots=True)
class Event:
    """One input with its metadata.

    `meta` holds what its trigger knows, by the names the ABI gives them (`docs/abi.md`): `method`, `path`,
    `query`, `headers` from HTTP; `topic`, `qos`, `retain` from MQTT; `device` and `attempt` from either.
    Values are what JSON can say, and stay as they are once the event is dispatched. A trigger whose metadata
    recur may give them as the bytes of that JSON object, with `trigger` and `source` in it. `received` is in
    seconds since the epoch. `caller` names those among whom a queue is shared out (a peer's address, a rule);
    `streams` says that its trigger can take an answer piece by piece; `account` is told how it ends, and
    `ended` is called, once, when it neither waits nor runs any more. `timeline` is there where somebody keeps
    a record of its run, and wants to know what becomes of it afterwards; `trace` is what
    the host's tracer knows of it, over all its attempts. `device` is whose it is, where its trigger has seen
    that; the function is told of it by `meta` alone. `asked_for` says that a person waits to see how it runs,
    so that a record of it is kept in any case.
    """

    body: bytes
    content_type: str | None = None
    trigger: str = "http"
    source: str = ""
    meta: dict[str, object] | bytes = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    received: float = field(default_factory=time.time)
    caller: str = ""
    streams: bool = False
    account: "Account | None" = field(default=None, repr=False, compare=False)
    ended: "Callable[[], None] | None" = field(default=None, repr=False, compare=False)
    timeline: "Timeline | None" = field(default=None, repr=False, compare=False)
    trace: object | None = field(default=None, repr=False, compare=False)
    device: str = field(default="", compare=False)
    asked_for: bool = field(default=False, repr=False, compare=False)
    _metadata: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def metadata(self) -> bytes:
        """What `meta` says, as it travels; encoded once, and raising TypeError for what JSON cannot say."""
        if self._metadata is None:
            meta = self.meta
            told = meta if isinstance(meta, bytes) else encode_metadata(self.trigger, self.source, meta)
            self._metadata = told
        return self._metadata

    def replace_meta(self, meta: dict[str, object] | bytes) -> None:
        """From now on its metadata are these."""
        self.meta, self._metadata = meta, None


def encode_metadata(trigger: str, source: str, meta: dict[str, object]) -> bytes:
    """The metadata of an event as JSON; raises TypeError for what JSON cannot say."""
    told = {"trigger": trigger, "source": source, **meta}
    return _dump(told).encode("utf-8", "surrogatepass")


@dataclass(slots=True, frozen=True)
class Publication:
    """One message that a function asked to have published besides its result."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(slots=True)
class Answer:
    """What a function returned, ready for the wire.

    `body` is None when the function returned None: nothing is published and HTTP says 204.
    `seconds` is the measured run time, `queued` what passed before it; `revision` reads `industry@3`, and
    `digest` is its package's (sha256, hexadecimal). Where the event's trigger takes
    streams, `stream` may have the pieces that come, and `body` is empty.
    """

    body: bytes | None
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    publications: tuple[Publication, ...] = ()
    seconds: float = 0.0
    revision: str = ""
    stream: "Stream | None" = None
    digest: str = ""
    queued: float = 0.0


class Account(Protocol):
    """Counts what became of events (`runtime/usage.py`)."""

    def sent(self, size: int) -> None:
        """So many bytes of its answer were sent before its end."""

    def end(self, outcome: "Answer | InvocationError") -> None:
        """An event has its answer, or the reason why there is none."""


Stage = Literal["published", "acknowledged"]


class Timeline(Protocol):
    """Notes when an event came how far after its run."""

    def mark(self, stage: Stage) -> None:
        """All its results were confirmed by their broker, or stand on disk; or it was acknowledged to its
        own."""


class Stream(Protocol):
    """The pieces of a streamed answer, each as it was yielded; raises InvocationError where it fails."""

    def __aiter__(self) -> "Stream": ...

    async def __anext__(self) -> bytes: ...

    def cancel(self) -> None:
        """Nobody takes the rest: the function's generator is closed at its next `yield`."""


Dispatch = Callable[[str, Event], "asyncio.Future[Answer]"]
"""`dispatch("industry", event)`: the future holds the Answer or one of the errors below."""

Foresee = Callable[[str, Event], object]
"""Raises what dispatching the event would raise now, whatever its body, which is not here yet."""


class InvocationError(Exception):
    """An event that got no answer.

    `revision`, `digest`, `queued` and `seconds` are as in Answer, where it came as far as a pool.
    """

    status = 500
    retry_after: float | None = None
    revision = ""
    digest = ""
    queued = 0.0
    seconds: float | None = None


class InputRejectedError(InvocationError):
    """The function does not accept such input: its body is not what its content type or `accepts` says."""

    status = 400


class UnknownFunctionError(InvocationError):
    """No such function, revision or alias."""

    status = 404


class TooLargeError(InvocationError):
    """The event is larger than the function takes."""

    status = 413


class QueueFullError(InvocationError):
    """As many events wait as the function's queue holds."""

    status = 429
    retry_after = 1.0


class FunctionRaisedError(InvocationError):
    """The function raised; the stack is the function's own, without the host's frames."""

    status = 500

    def __init__(self, error_type: str, message: str, stack: list[str]) -> None:
        super().__init__(f"{error_type}: {message}")
        self.error_type = error_type
        self.message = message
        self.stack = stack


class InstanceDiedError(InvocationError):
    """The instance died while it ran this event; the message names the signal or exit code."""

    status = 502


class UnavailableError(InvocationError):
    """The function's pool cannot start, or is stopping."""

    status = 503
    retry_after = 5.0


class DeadlinePassedError(InvocationError):
    """No answer came within the function's timeout, counted from the event's arrival."""

    status = 504
