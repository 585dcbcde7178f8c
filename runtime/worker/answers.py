"""Writes the frames that say what came of an event: a result, a failure, or that its time was over."""

import time
from typing import Any, NamedTuple

from .box_plan import BoxPlan
from .context import Context
from .failures import Record, describe_failure
from .frames import MAX_HEAD, Head, encode, encode_bytes
from .logs import LogPipe
from .payload import JSON_TYPE, InputError, Response, ResultError, encode_response, encode_result


class Rules(NamedTuple):
    """What manifest and host say of events and results; sizes in bytes."""

    accepts: str
    max_result: int
    json_depth: int
    code_folders: tuple[str, ...]
    box: BoxPlan = BoxPlan()


class AnswerWriter:
    """Writes one frame per event; what failed goes to the function's log, too."""

    def __init__(self, rules: Rules, pipe: LogPipe) -> None:
        self._rules = rules
        self._pipe = pipe

    def write(self, context: Context, result: object, started: float) -> bytes:
        """The answer of an event that began at `started` (monotonic); raises ResultError."""
        body, told = encode_answer(result)
        return self.seal(context, body, told, time.monotonic() - started)

    def write_timed(self, context: Context, result: object, seconds: float) -> bytes:
        """The same for an event that shared its time with others."""
        body, told = encode_answer(result)
        return self.seal(context, body, told, seconds)

    def seal(self, context: Context, body: bytes, told: Head, seconds: float) -> bytes:
        """A frame of an encoded result, with what was published; raises ResultError when that is too much."""
        if context.publications:
            told["p"] = context.publications
            body = b"".join([body, *context.payloads])
        if not told and len(body) <= self._rules.max_result:
            # By far the most answers; written by hand, since a JSON encoder takes three times as long.
            return encode_bytes(b'{"n":%d,"k":"ok","s":%.7f}' % (context.number, seconds), b"", body)
        return self.bound({"n": context.number, "k": "ok", "s": seconds, **told}, body)

    def bound(self, head: Head, body: bytes) -> bytes:
        """A frame no larger than the manifest and the wire allow; raises ResultError."""
        if len(body) > self._rules.max_result:
            raise ResultError(_too_large(len(body), self._rules.max_result))
        frame = encode(head, body)
        if len(frame) - len(body) > MAX_HEAD:
            raise ResultError(f"headers and topics of one answer may have {MAX_HEAD} bytes in all")
        return frame

    def fail(self, context: Context, error: BaseException, seconds: float) -> bytes:
        """The answer of an event that was refused, that raised, or whose result cannot travel."""
        if isinstance(error, InputError):
            return encode({"n": context.number, "k": "rejected", "message": str(error)})
        record = self.describe(error)
        self._pipe.write_failure(record, context.request_id)
        return write_raised(context, record, seconds)

    def describe(self, error: BaseException) -> Record:
        """What travels of an exception."""
        if isinstance(error, ResultError):
            return {"type": "ResultError", "message": str(error), "place": None, "stack": []}
        return describe_failure(error, self._rules.code_folders, self._rules.box, self._pipe.mask)


def write_expired(number: int) -> bytes:
    """The answer of an event whose time was over, or which nobody waits for any more."""
    return encode({"n": number, "k": "expired"})


def write_raised(context: Context, record: Record, seconds: float) -> bytes:
    """The answer of an event that failed in the package."""
    return encode({"n": context.number, "k": "raised", "error": record, "s": round(seconds, 7)})


def encode_answer(result: object) -> tuple[bytes, dict[str, Any]]:
    """The body of a result, and what an answer's head must tell of it; raises ResultError."""
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
