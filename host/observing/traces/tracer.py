"""Begins and continues traces at dispatch, and tells each part of an event's way once it is over."""

import asyncio
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from host.observing.traces.spans import Span, new_span_id, new_trace_id
from host.observing.traces.story import (
    Topics,
    Trace,
    acknowledge_span,
    publish_span,
    queue_span,
    receive_span,
    root_span,
    run_span,
)
from runtime.events import (
    Answer,
    Dispatch,
    Event,
    InvocationError,
    QueueFullError,
    Stage,
    Timeline,
    UnavailableError,
)
from runtime.observations import Observer, Run
from triggers.trace_context import PARENT, STATE, trace_of

LINGER = 5.0
"""Seconds after the end of a run in which its results may be published and its message acknowledged."""
MOST_OPEN = 10_000
READINGS, SAME_MOMENT = 5, 0.001
STALE = 300.0
"""Seconds: of an event that stood on disk for longer, the trace begins when it is taken up again."""


@dataclass(frozen=True)
class Clock:
    """`wall` gives seconds since the epoch, `steady` the monotonic ones that runs are measured with."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic

    @property
    def shift(self) -> float:
        """What makes steady seconds those since the epoch."""
        wall = steady = 0.0
        for _ in range(READINGS):
            steady, wall = self.steady(), self.wall()
            # Whoever was kept from the processor in between has read two moments.
            if self.steady() - steady < SAME_MOMENT:
                break
        return wall - steady


class Marks:
    """The timeline of one run; what was there before is told, too."""

    __slots__ = ("_before", "_published", "_tracer", "trace")

    def __init__(self, tracer: "Tracer", trace: Trace, before: Timeline | None) -> None:
        self.trace = trace
        self._tracer = tracer
        self._before = before
        self._published = trace.latest

    def mark(self, stage: Stage) -> None:
        """A span ends here."""
        if self._before is not None:
            self._before.mark(stage)
        now = self._tracer.clock.wall()
        self._tracer.marked(self.trace, stage, (self._published, now))
        self._published = now


class Tracer(Observer):
    """Owns the traces that are under way; `emit` takes what is over, `sample` is a share of new traces.

    `topics` says where a rule's events come from and its results go.
    """

    def __init__(self, emit: Callable[[Span], None], sample: float, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.topics: Callable[[str], Topics] = lambda rule: Topics()
        self._emit = emit
        self._most = int(sample * 0x1_0000_0000)
        self._open: dict[str, tuple[Trace, float]] = {}

    def trace(self, dispatch: Dispatch) -> Dispatch:
        """`dispatch`, with the trace of each event that is to be traced."""

        def traced(target: str, event: Event) -> "asyncio.Future[Answer]":
            found = event.trace or self._begin(target, event)
            if isinstance(found, Trace):
                found.run = new_span_id()
                event.replace_meta(_with_parent(event.meta, found))
            return dispatch(target, event)

        return traced

    def _begin(self, target: str, event: Event) -> Trace | None:
        """The trace of an event that is seen for the first time; None where nobody wants one."""
        told = trace_of(event)
        if PARENT in told:
            _, trace, parent, flags = told[PARENT].split("-")[:4]
            if not int(flags, 16) & 1:
                return None
        elif zlib.crc32(event.id.encode("utf-8", "replace")) < self._most:
            # By its id, so that an event that comes back from disk is judged as it was before.
            trace, parent, flags = new_trace_id(), "", "01"
        else:
            return None
        now = self.clock.wall()
        begun = event.received if 0.0 <= now - event.received < STALE else now
        state = told.get(STATE, "")
        made = Trace(
            event, target, trace, parent, int(flags, 16) & 3, state, begun, new_span_id(), latest=begun
        )
        event.trace = made
        return made

    def ended(self, run: Run) -> None:
        """An attempt is over."""
        trace = run.event.trace
        if not isinstance(trace, Trace):
            return
        shift = self.clock.shift
        if not trace.ended and run.event.trigger == "mqtt":
            self._emit(receive_span(trace, run.arrived + shift, self.topics(run.event.source)))
        trace.event, trace.outcome, trace.ended, trace.latest = (
            run.event,
            run.outcome,
            True,
            run.ended + shift,
        )
        self._emit(queue_span(trace, run, shift))
        if run.sent:
            self._emit(run_span(trace, run, shift))
        if run.event.streams:
            self._finish(trace)
            return
        run.event.timeline = Marks(self, trace, run.event.timeline)
        self._keep_open(trace)

    def refused(self, target: str, event: Event, error: InvocationError) -> None:
        """An event was not taken in; one that comes again is told of when it has run."""
        comes_again = isinstance(error, QueueFullError | UnavailableError) and not event.streams
        trace = event.trace or self._begin(target, event)
        if isinstance(trace, Trace) and not comes_again:
            trace.outcome, trace.ended, trace.latest = error, True, self.clock.wall()
            self._finish(trace)

    def marked(self, trace: Trace, stage: Stage, times: tuple[float, float]) -> None:
        """The results of a run were published, or its message was acknowledged."""
        topics = self.topics(trace.event.source)
        trace.latest = max(trace.latest, times[1])
        if stage == "published":
            self._emit(publish_span(trace, times, topics))
        else:
            self._emit(acknowledge_span(trace, times, topics))
            self._finish(trace)

    def look(self) -> None:
        """Once in a while: no more is waited for of those that ended some seconds ago."""
        now = self.clock.steady()
        for trace, until in list(self._open.values()):
            if until > now:
                break
            self._finish(trace)

    def finish_all(self) -> None:
        """The host stops: tell what is known."""
        for trace, _ in list(self._open.values()):
            self._finish(trace)

    def _keep_open(self, trace: Trace) -> None:
        # Behind all others, since its time begins anew.
        self._open.pop(trace.root, None)
        self._open[trace.root] = trace, self.clock.steady() + LINGER
        if len(self._open) > MOST_OPEN:
            oldest, _ = next(iter(self._open.values()))
            self._finish(oldest)

    def _finish(self, trace: Trace) -> None:
        self._open.pop(trace.root, None)
        if not trace.told:
            trace.told = True
            self._emit(root_span(trace, self.topics(trace.event.source)))


def _with_parent(meta: dict[str, object] | bytes, trace: Trace) -> dict[str, object] | bytes:
    if isinstance(meta, bytes):
        # Of two keys with one name the last counts: so the rest need not be read and written again.
        return b'%b,"traceparent":"%b"}' % (meta[:-1], trace.traceparent.encode())
    return {**meta, PARENT: trace.traceparent}
