"""A span as it waits for its export: plain values, so that nothing of OpenTelemetry is needed to make one."""

from dataclasses import dataclass, field
from random import getrandbits
from typing import Literal

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool
Attributes = dict[str, Value]


def new_trace_id() -> str:
    """128 random bits as 32 hexadecimal digits, never all of them 0."""
    return f"{getrandbits(128) or 1:032x}"


def new_span_id() -> str:
    """64 random bits as 16 hexadecimal digits, never all of them 0."""
    return f"{getrandbits(64) or 1:016x}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span stands: in which trace, under which parent (empty: it begins the trace).

    `far` says that the parent is somebody else's; `state` is the tracestate.
    """

    trace: str
    span: str
    parent: str
    state: str = ""
    far: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """Something that took time; times are in seconds since the epoch, `error` is empty for what went well.

    Where there is an error, `attributes` has its kind as `error.type`.
    """

    name: str
    kind: Kind
    place: Place
    start: float
    end: float
    attributes: Attributes = field(default_factory=dict)
    error: str = ""
