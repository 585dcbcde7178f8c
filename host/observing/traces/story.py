"""What the spans of an event are called and say, by OpenTelemetry's semantic conventions.

https://opentelemetry.io/docs/specs/semconv/ (messaging, http and faas spans), as of version 1.43.
"""

import json
from dataclasses import dataclass

from host.observing.traces.spans import Attributes, Kind, Place, Span, new_span_id
from runtime.events import Answer, Event, FunctionRaisedError, InvocationError
from runtime.observations import Run

ROUTE = "/invoke/{target}"
LONGEST_ERROR = 500
FAAS_TRIGGERS = {"http": "http", "mqtt": "pubsub", "timer": "timer"}


@dataclass(slots=True)
class Trace:
    """One event in its trace, over all attempts.

    `id`, `parent` (empty: none), `flags` and `state` are of the trace; `root` is the span of the whole event
    and `run` that of the attempt that is under way. `begun` and `latest` are in seconds since the epoch;
    `outcome` is that of the last attempt; `told` says that the root was exported.
    """

    event: Event
    target: str
    id: str
    parent: str
    flags: int
    state: str
    begun: float
    root: str
    run: str = ""
    latest: float = 0.0
    outcome: "Answer | InvocationError | None" = None
    ended: bool = False
    told: bool = False

    @property
    def traceparent(self) -> str:
        """What whoever goes on with this event is told: the attempt that is under way is its parent."""
        return f"00-{self.id}-{self.run}-{self.flags:02x}"

    def below(self, span: str = "") -> Place:
        """The place of a span under the root."""
        return Place(self.id, span or new_span_id(), self.root, self.state)


@dataclass(frozen=True, slots=True)
class Topics:
    """A rule's source topic, with its wildcards, and where its results go; empty: not known."""

    source: str = ""
    target: str = ""


def root_span(trace: Trace, topics: Topics) -> Span:
    """The event from when it came to the last that is known of it."""
    event, outcome = trace.event, trace.outcome
    place = Place(trace.id, trace.root, trace.parent, trace.state, far=bool(trace.parent))
    name, kind, attributes = _describe(event, topics)
    attributes |= {"faas.trigger": FAAS_TRIGGERS.get(event.trigger, "other"), "faas.invocation_id": event.id}
    error = _error_of(outcome, trace.ended)
    if kind == "server":
        status = _status_of(outcome)
        if status:
            attributes["http.response.status_code"] = status
        # Of what the caller did wrong the server's span is no error (HTTP conventions).
        error = (str(status), error[1]) if status >= 500 else (error if not status else ("", ""))
    return _span(name, kind, place, (trace.begun, max(trace.latest, trace.begun)), attributes, error)


def _describe(event: Event, topics: Topics) -> tuple[str, Kind, Attributes]:
    if event.trigger == "mqtt":
        place = topics.source or event.source
        return f"process {place}", "consumer", _messaging(event, "process", topics)
    if event.trigger == "http" and event.streams:
        path = str(_meta_of(event).get("path", ""))
        told: Attributes = {"http.request.method": "POST", "http.route": ROUTE, "url.path": path}
        return f"POST {ROUTE}", "server", told | {"http.request.body.size": len(event.body)}
    kind: Kind = "consumer" if event.trigger == "http" else "internal"
    what = "asynchronous event" if event.trigger == "http" else f"{event.trigger} {event.source}"
    return what, kind, {}


def receive_span(trace: Trace, arrived: float, topics: Topics) -> Span:
    """From the receipt of a message until a function's pool has it."""
    place = topics.source or trace.event.source
    told = _messaging(trace.event, "receive", topics)
    return _span(f"receive {place}", "consumer", trace.below(), (trace.begun, arrived), told)


def queue_span(trace: Trace, run: Run, shift: float) -> Span:
    """From the arrival in the pool to the begin of the run; `shift` makes its times those since the epoch."""
    arrived = run.arrived + shift
    times = arrived, arrived + run.queued
    return _span(
        f"queue {run.spec.function}", "internal", trace.below(), times, {"faas.name": run.spec.function}
    )


def run_span(trace: Trace, run: Run, shift: float) -> Span:
    """The function at work on the event."""
    end = run.ended + shift
    told: Attributes = {
        "faas.name": run.spec.function,
        "faas.version": str(run.spec.revision),
        "faas.invocation_id": run.event.id,
    }
    if run.pid:
        told["fnhost.instance.pid"] = run.pid
    place = trace.below(trace.run)
    error = _error_of(run.outcome, True)
    return _span(f"run {run.spec.function}", "internal", place, (end - run.ran, end), told, error)


def publish_span(trace: Trace, times: tuple[float, float], topics: Topics) -> Span:
    """From the end of the run until the results are confirmed, or on disk."""
    told: Attributes = {
        "messaging.system": "mqtt",
        "messaging.operation.name": "publish",
        "messaging.operation.type": "send",
    }
    if topics.target:
        told["messaging.destination.name"] = topics.target
    place = Place(trace.id, new_span_id(), trace.root, trace.state)
    return _span(f"publish {topics.target or trace.event.source}", "producer", place, times, told)


def acknowledge_span(trace: Trace, times: tuple[float, float], topics: Topics) -> Span:
    """From then until the message is acknowledged to its broker."""
    place = topics.source or trace.event.source
    told = _messaging(trace.event, "settle", topics) | {"messaging.operation.name": "ack"}
    return _span(f"ack {place}", "client", trace.below(), times, told)


def _messaging(event: Event, operation: str, topics: Topics) -> Attributes:
    meta = _meta_of(event)
    told: Attributes = {
        "messaging.system": "mqtt",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": str(meta.get("topic", "")),
        "messaging.message.id": event.id,
        "messaging.message.body.size": len(event.body),
    }
    if topics.source:
        told["messaging.destination.template"] = topics.source
    return told


def _meta_of(event: Event) -> dict[str, object]:
    meta = event.meta
    return json.loads(meta) if isinstance(meta, bytes) else meta


def _status_of(outcome: "Answer | InvocationError | None") -> int:
    if outcome is None:
        return 0
    if isinstance(outcome, Answer) and outcome.body is None and outcome.stream is None:
        return 204
    return outcome.status


def _error_of(outcome: "Answer | InvocationError | None", ended: bool) -> tuple[str, str]:
    """Its kind and its text; both empty for what went well, and for what has not ended."""
    if isinstance(outcome, Answer) or not ended:
        return "", ""
    if outcome is None:
        return "cancelled", "nobody waited for it any more"
    kind = type(outcome).__name__.removesuffix("Error")
    raised = outcome.error_type if isinstance(outcome, FunctionRaisedError) else kind
    return raised, str(outcome)[:LONGEST_ERROR]


def _span(
    name: str,
    kind: Kind,
    place: Place,
    times: tuple[float, float],
    attributes: Attributes,
    error: tuple[str, str] = ("", ""),
) -> Span:
    if error[0]:
        attributes["error.type"] = error[0]
    return Span(name, kind, place, times[0], max(times), attributes, error[1] or error[0])
