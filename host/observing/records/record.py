"""One record: what is known of an invocation, taken from the pool's word at its end."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runtime.events import Answer, Event, FunctionRaisedError, Stage
from runtime.observations import Result, Run
from runtime.spec import PoolSpec

OVERHEAD = 2000
"""Bytes of a record beside its bodies, metadata and texts, roughly: its objects."""
MOST_META = 8 * 1024
MOST_STACK = 8 * 1024
"""Characters of a stack; what is kept of a longer one is its end, which says most."""
MOST_TOPICS = 20
LONGEST_NAME = 256
REPLAY = "replay"
"""In the metadata of an event that a person has replayed: the id of the event that it repeats."""


@dataclass(slots=True)
class Body:
    """The beginning of an input or output as it came, of `size` bytes in all; None: it had none.

    `lost` says why nothing is kept of it, where that is so.
    """

    data: bytes | None
    size: int
    content_type: str | None
    lost: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether there was more."""
        return self.data is not None and len(self.data) < self.size


@dataclass(slots=True, frozen=True)
class Failure:
    """Why there is no answer; the stack is the function's own."""

    type: str
    message: str
    stack: tuple[str, ...] = ()


@dataclass(slots=True)
class Record:
    """What is kept of one attempt; its bodies are neither redacted nor masked yet (`sealing.py`).

    `number` orders all records of a host. `stages` are in seconds since the epoch: received, queued, started,
    ended, and later published and acknowledged; those that did not happen, or were not seen, are not there.
    `meta` are the metadata as JSON, which takes a part of what its objects would. `size` is how many bytes
    all of it takes in memory, roughly.
    """

    number: int
    spec: PoolSpec
    id: str
    attempt: int
    trigger: str
    source: str
    caller: str
    device: str | None
    result: Result
    pid: int
    meta: bytes
    meta_cut: bool
    stages: dict[str, float]
    seconds: float
    input: Body
    output: Body
    status: int | None = None
    publications: tuple[tuple[str, int], ...] = ()
    error: Failure | None = None
    last_stage: Stage | None = None
    is_complete: bool = False
    ended: float = 0.0
    due: float = 0.0
    size: int = 0
    on_mark: "Callable[[Record, Stage], None] | None" = field(default=None, repr=False)

    @property
    def is_sample(self) -> bool:
        """Whether it is one of those that did not fail."""
        return self.result == "ok"

    def mark(self, stage: Stage) -> None:
        """The event came as far as this after its run."""
        if self.on_mark is not None:
            self.on_mark(self, stage)


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks."""

    monotonic: float
    wall: float

    def epoch(self, monotonic: float) -> float:
        """A time of the monotonic clock in seconds since the epoch."""
        return self.wall - (self.monotonic - monotonic)


def make_record(number: int, run: Run, moment: Moment, most: int) -> Record:
    """The record of a run; `most` bytes are kept of each body."""
    event = run.event
    meta, kept, cut = _meta(event)
    device = meta.get("device")
    attempt = meta.get("attempt")
    record = Record(
        number,
        run.spec,
        event.id,
        attempt if isinstance(attempt, int) else 1,
        event.trigger,
        event.source,
        event.caller,
        str(device)[:LONGEST_NAME] if device is not None else None,
        run.result,
        run.pid,
        kept,
        cut,
        _stages(run, moment),
        run.ran,
        _body(event.body, event.content_type, most),
        Body(None, 0, None),
        last_stage=last_stage(run, meta),
        ended=run.ended,
    )
    _take_outcome(record, run, most)
    record.size = _measure(record)
    return record


def _measure(record: Record) -> int:
    """Its bytes in memory, with all that others decide the length of."""
    error = record.error or Failure("", "")
    texts = (record.id, record.source, record.caller, record.device, record.input.content_type)
    more = (record.output.content_type, error.type, error.message, *error.stack)
    topics = (topic for topic, _ in record.publications)
    told = sum(sys.getsizeof(text) for text in (*texts, *more, *topics) if text)
    return (
        OVERHEAD
        + told
        + sum(len(data or b"") for data in (record.meta, record.input.data, record.output.data))
    )


def last_stage(run: Run, meta: dict[str, Any]) -> Stage | None:
    """After which mark nothing more is to come; None: there is nothing to wait for.

    A message of QoS 1 is acknowledged when all else is done with it, also with what failed for good.
    """
    if REPLAY in meta:
        return None
    if run.event.trigger == "mqtt" and meta.get("qos"):
        return "acknowledged"
    return "published" if run.event.trigger in ("mqtt", "timer") and run.result == "ok" else None


def _take_outcome(record: Record, run: Run, most: int) -> None:
    outcome = run.outcome
    if isinstance(outcome, Answer):
        record.status = outcome.status
        record.output = _output(outcome, most)
        told = outcome.publications[:MOST_TOPICS]
        record.publications = tuple((each.topic, len(each.payload)) for each in told)
    elif isinstance(outcome, FunctionRaisedError):
        record.status = outcome.status
        record.error = Failure(outcome.error_type, outcome.message, _end_of(outcome.stack))
    elif outcome is not None:
        record.status = outcome.status
        record.error = Failure(type(outcome).__name__, str(outcome))


def _stages(run: Run, moment: Moment) -> dict[str, float]:
    queued, ended = moment.epoch(run.arrived), moment.epoch(run.ended)
    # The wall clock may have been set between the receipt and now.
    stages = {"received": min(run.event.received, queued), "queued": queued}
    if run.sent:
        stages["started"] = max(queued, ended - run.ran)
    return {**stages, "ended": ended}


def _output(answer: Answer, most: int) -> Body:
    if answer.stream is not None:
        return Body(None, 0, answer.content_type, "it was streamed, and of that nothing is kept")
    return _body(answer.body, answer.content_type, most) if answer.body is not None else Body(None, 0, None)


def _body(data: bytes, content_type: str | None, most: int) -> Body:
    # A slice of a small one is itself, and of a large one a copy that lets the rest go.
    return Body(data[:most], len(data), content_type)


def _end_of(stack: list[str]) -> tuple[str, ...]:
    kept: list[str] = []
    room = MOST_STACK
    for line in reversed(stack):
        room -= len(line)
        if room < 0:
            kept.append("(what stood above is not kept)")
            break
        kept.append(line)
    return tuple(kept[::-1])


def _meta(event: Event) -> tuple[dict[str, Any], bytes, bool]:
    """The metadata, what is kept of them as JSON, and whether they are too large to be kept."""
    told = event.metadata()
    meta: dict[str, Any] = json.loads(told)
    if len(told) <= MOST_META:
        return meta, told, False
    small = _small(meta)
    return small, json.dumps(small).encode(), True


def _small(meta: dict[str, Any]) -> dict[str, Any]:
    """What is short of metadata that are long."""
    short = {name: value for name, value in meta.items() if not isinstance(value, dict)}
    return {name: value for name, value in short.items() if len(str(value)) < LONGEST_NAME}
