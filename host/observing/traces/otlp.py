"""Speaks OTLP over HTTP: the only module that imports OpenTelemetry, and is imported for an endpoint only."""

import logging
import socket
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from host.observing.traces.spans import Attributes, Place, Span

TIMEOUT = 10.0
"""Seconds for one batch, with the exporter's own attempts."""
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class OtlpExporter:
    """Exports to the OTLP endpoint at a URL, each request with `headers`."""

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        # What is lost is counted and told in our own words; theirs would come with each batch or span.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._exporter = OTLPSpanExporter(endpoint=endpoint, headers=dict(headers), timeout=TIMEOUT)
        self._closed = False
        self._scope = InstrumentationScope("fnhost", version("fnhost"))
        self._resource = Resource(
            {
                "service.name": "fnhost",
                "service.version": version("fnhost"),
                "host.name": _clean(socket.gethostname()),
            }
        )

    def export(self, spans: Sequence[Span]) -> bool:
        """Whether the collector has taken them."""
        if self._closed:
            return False
        try:
            return self._exporter.export([self._convert(span) for span in spans]) is SpanExportResult.SUCCESS
        except OSError:
            return False

    def close(self) -> None:
        """Give up what is under way, and export nothing more."""
        if not self._closed:
            self._closed = True
            self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _convert(self, span: Span) -> ReadableSpan:
        place = span.place
        return ReadableSpan(
            name=_clean(span.name),
            context=_context(place, place.span, far=False),
            parent=_context(place, place.parent, place.far) if place.parent else None,
            resource=self._resource,
            attributes=_clean_values(span.attributes),
            kind=SpanKind[span.kind.upper()],
            instrumentation_scope=self._scope,
            status=Status(StatusCode.ERROR, _clean(span.error)) if span.error else Status(),
            start_time=round(span.start * 1e9),
            end_time=round(span.end * 1e9),
        )


def _clean(text: str) -> str:
    """Half of a surrogate pair is no character, and protobuf refuses all that goes with it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _clean_values(attributes: Attributes) -> Attributes:
    return {name: _clean(value) if isinstance(value, str) else value for name, value in attributes.items()}


def _context(place: Place, span: str, far: bool) -> SpanContext:
    state = TraceState.from_header([place.state]) if place.state else None
    return SpanContext(int(place.trace, 16), int(span, 16), far, _SAMPLED, state)
