"""A collector of spans that speaks OTLP over HTTP, in the test's own process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.hosts import wait_until


@dataclass(frozen=True)
class Seen:
    """One span as it arrived; times are in nanoseconds since the epoch."""

    name: str
    kind: int
    trace: str
    span: str
    parent: str
    start: int
    end: int
    state: str
    failed: bool
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass
class Collector:
    """What came, and with which headers; it refuses all while `status` is not 200."""

    url: str = ""
    status: int = 200
    spans: list[Seen] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    resource: dict[str, Any] = field(default_factory=dict)

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            self.resource = _told(resource.resource.attributes)
            self.spans += [_seen(span) for scope in resource.scope_spans for span in scope.spans]

    def of(self, trace: str) -> dict[str, Seen]:
        """The spans of a trace by the first word of their names."""
        return {span.name.split()[0]: span for span in self.spans if span.trace == trace}

    def wait_for(self, trace: str, *words: str) -> dict[str, Seen]:
        """The spans of a trace, once those are there whose names begin so."""
        wait_until(lambda: set(words) <= self.of(trace).keys(), f"{words} of {trace} came: {self.spans}")
        return self.of(trace)


def _seen(span: Any) -> Seen:
    return Seen(
        span.name,
        span.kind,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.trace_state,
        span.status.code == 2,
        _told(span.attributes),
    )


def _told(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens on loopback."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if collector.status == 200:
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                collector.take(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            try:
                self.send_response(collector.status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector.url = f"http://127.0.0.1:{server.server_port}/v1/traces"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
