"""One event through the function: decode, call, encode, and a frame with what came of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .context import Context, Surroundings
from .failures import Record, describe_failure
from .frames import MAX_HEAD, Head, encode, encode_text
from .loader import Function
from .logs import LogPipe
from .payload import (
    JSON_TYPE,
    InputError,
    Response,
    ResultError,
    decode_event,
    encode_response,
    encode_result,
)

_clock = time.perf_counter


@dataclass(frozen=True)
class Rules:
    """What the manifest says of events and results; sizes in bytes."""

    accepts: str
    max_result: int
    code_folders: tuple[str, ...]


class Runner:
    """Runs events one after the other; `mark(number)` notes in shared memory which one has begun."""

    def __init__(
        self, around: Surroundings, rules: Rules, pipe: LogPipe, mark: Callable[[int], None]
    ) -> None:
        self._around = around
        self._rules = rules
        self._pipe = pipe
        self._mark = mark

    def run(self, function: Function, head: Head, body: bytes) -> bytes:
        """The frame that answers an event; never raises for what the function does."""
        if time.monotonic() >= head["dl"]:
            return encode({"n": head["n"], "k": "expired"})
        self._mark(head["n"])
        context, started = self._begin(head)
        try:
            event = decode_event(body, head.get("ct"), self._rules.accepts)
            frame = self._answer(context, function.call(event, context), started)
        except BaseException as error:  # noqa: BLE001 - user code: whatever it raises is its failure, not ours
            frame = self._failure(head, error, started)
        self._pipe.end()
        return frame

    async def run_async(self, function: Function, head: Head, body: bytes) -> bytes:
        """The same for a coroutine function."""
        if time.monotonic() >= head["dl"]:
            return encode({"n": head["n"], "k": "expired"})
        self._mark(head["n"])
        context, started = self._begin(head)
        try:
            event = decode_event(body, head.get("ct"), self._rules.accepts)
            frame = self._answer(context, await function.call(event, context), started)
        except BaseException as error:  # noqa: BLE001 - user code, and its cancellation, which is answered too
            frame = self._failure(head, error, started)
        self._pipe.end()
        return frame

    def _begin(self, head: Head) -> tuple[Context, float]:
        self._pipe.begin(head["id"])
        context = Context(self._around, head)
        return context, _clock()

    def _answer(self, context: Context, result: object, started: float) -> bytes:
        body, told = _encode(result)
        if context.publications:
            told["p"] = context.publications
            body = b"".join([body, *context.payloads])
        if len(body) > self._rules.max_result:
            raise ResultError(_too_large(len(body), self._rules.max_result))
        seconds = _clock() - started
        if not told:
            # By far the most answers; written by hand, since a JSON encoder takes three times as long.
            return encode_text(f'{{"n":{context.number},"k":"ok","s":{seconds:.7f}}}', b"", body)
        frame = encode({"n": context.number, "k": "ok", "s": seconds, **told}, body)
        if len(frame) - len(body) > MAX_HEAD:
            raise ResultError(f"headers and topics of one answer may have {MAX_HEAD} bytes in all")
        return frame

    def _failure(self, head: Head, error: BaseException, started: float) -> bytes:
        if isinstance(error, InputError):
            return encode({"n": head["n"], "k": "rejected", "message": str(error)})
        seconds = round(_clock() - started, 7)
        if isinstance(error, ResultError):
            record: Record = {"type": "ResultError", "message": str(error), "place": None, "stack": []}
        else:
            record = describe_failure(error, self._rules.code_folders)
        self._pipe.write_failure(record)
        return encode({"n": head["n"], "k": "raised", "error": record, "s": seconds})


def _encode(result: object) -> tuple[bytes, dict[str, Any]]:
    """The body of a result, and what an answer's head must tell of it."""
    if result is None:
        return b"", {"k": "none"}
    if isinstance(result, Response):
        body, kind = encode_response(result)
        return body, {"ct": kind, "st": result.status, "h": result.headers}
    body, kind = encode_result(result)
    return body, {} if kind == JSON_TYPE else {"ct": kind}


def _too_large(size: int, limit: int) -> str:
    return (
        f"the result has {size} bytes, more than the {limit} that this function may return; "
        "raise `max_result` in function.yaml"
    )
