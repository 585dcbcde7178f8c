"""Reads an instance's frames into answers and errors; nothing in a frame is trusted."""

import math
import signal
from typing import Any

from runtime.events import (
    Answer,
    DeadlinePassedError,
    FunctionRaisedError,
    InputRejectedError,
    InvocationError,
    Publication,
)
from runtime.told import read_stack, read_text
from runtime.worker.context import MAX_PUBLICATIONS
from runtime.worker.frames import Head
from runtime.worker.masks import Mask


class MalformedAnswerError(Exception):
    """An instance sent a frame that says nothing we know."""


def read_answer(head: Head, body: bytes, revision: str, mask: Mask) -> Answer | InvocationError:
    """What became of an invocation; raises MalformedAnswerError."""
    try:
        kind = head["k"]
        if kind in ("ok", "none"):
            return _read_success(head, body, revision)
        return _read_failure(kind, head, mask)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise MalformedAnswerError(f"{type(error).__name__}: {error}") from None


def _read_success(head: Head, body: bytes, revision: str) -> Answer:
    publications: tuple[Publication, ...] = ()
    if "p" in head:
        publications, body = _split_publications(head["p"], body)
    if not 0.0 <= float(head["s"]) < math.inf:
        raise ValueError(f"it took {head['s']!r:.20} seconds")
    return Answer(
        None if head["k"] == "none" else body,
        str(head.get("ct", "application/json")),
        int(head.get("st", 200)),
        {str(name): str(value) for name, value in head["h"].items()} if "h" in head else {},
        publications,
        float(head["s"]),
        revision,
    )


def _split_publications(heads: list[dict[str, Any]], body: bytes) -> tuple[tuple[Publication, ...], bytes]:
    if len(heads) > MAX_PUBLICATIONS:
        raise ValueError(f"it published {len(heads)} messages; {MAX_PUBLICATIONS} are allowed")
    sizes = [int(each["l"]) for each in heads]
    at = len(body) - sum(sizes)
    if at < 0 or min(sizes) < 0:
        raise ValueError("the publications are longer than the body")
    result, publications = body[:at], []
    for each, size in zip(heads, sizes, strict=True):
        if each["q"] not in (0, 1, 2):
            raise ValueError(f"there is no QoS {each['q']!r:.20}")
        publications.append(
            Publication(str(each["t"]), body[at : at + size], int(each["q"]), bool(each["r"]))
        )
        at += size
    return tuple(publications), result


def _read_failure(kind: str, head: Head, mask: Mask) -> InvocationError:
    if kind == "rejected":
        return InputRejectedError(read_text(head["message"], mask))
    if kind == "expired":
        return DeadlinePassedError("the deadline passed before the event could begin")
    if kind == "raised":
        record = head["error"]
        return FunctionRaisedError(
            read_text(record["type"], mask),
            read_text(record["message"], mask),
            read_stack(record["stack"], mask),
        )
    raise ValueError(f"unknown kind {kind!r}")


def describe_status(status: int) -> str:
    """How a process ended, from its wait(2) status as Python's subprocess gives it or os.waitpid does."""
    code = -status if status < 0 else status & 0x7F
    if code:
        name = _signal_name(code)
        return f"was killed by {name}" + (", probably for want of memory" if code == signal.SIGKILL else "")
    return f"ended with exit code {status >> 8}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
