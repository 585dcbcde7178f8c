"""Gives traces their place in the host: nothing at all without an endpoint, else a tracer and its thread."""

import asyncio
from functools import partial

from conf.observing import Traces
from host.lifecycle import Part
from host.observing.traces.sending import Exporter, Sending
from host.observing.traces.tracer import Tracer
from runtime.events import Dispatch
from runtime.steadily import steadily

FLUSH = 5.0
TICK = 1.0


class TracesPart(Part):
    """Stops after all that runs events, and sends what is left for FLUSH seconds."""

    name = "traces"
    priority = 120

    def __init__(self, tracer: Tracer, sending: Sending) -> None:
        self.tracer = tracer
        self._sending = sending
        self._looking: asyncio.Task[None] | None = None

    @property
    def lost(self) -> int:
        """Spans that no collector has taken."""
        return self._sending.lost

    async def start(self) -> None:
        """Begin to send."""
        self._sending.start()
        self._looking = asyncio.create_task(steadily("traces that are over", self._look, TICK))

    async def _look(self) -> None:
        self.tracer.look()

    async def stop(self) -> None:
        """Send what is left."""
        if self._looking is not None:
            self._looking.cancel()
        self.tracer.finish_all()
        await asyncio.to_thread(self._sending.stop, FLUSH)


def compose_traces(traces: Traces) -> TracesPart | None:
    """What traces events; None without an endpoint."""
    if traces.endpoint is None:
        return None
    headers = {name: value.get_secret_value() for name, value in traces.headers.items()}
    sending = Sending(partial(_open_exporter, traces.endpoint, headers))
    return TracesPart(Tracer(sending.put, traces.sample), sending)


def trace_dispatch(part: TracesPart | None, dispatch: Dispatch) -> Dispatch:
    """`dispatch` as it is without traces, so that they cost nothing then."""
    return dispatch if part is None else part.tracer.trace(dispatch)


def _open_exporter(endpoint: str, headers: dict[str, str]) -> Exporter:
    from host.observing.traces.otlp import OtlpExporter

    return OtlpExporter(endpoint, headers)
