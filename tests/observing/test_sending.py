"""Spans on their way to a collector: no span costs the others, and what is passed on can be read there."""

import asyncio
import logging
from collections.abc import Callable, Sequence

import pytest
from opentelemetry.trace import TraceState

from host.observing.traces.otlp import OtlpExporter
from host.observing.traces.part import TracesPart
from host.observing.traces.sending import Bounds, Exporter, Sending
from host.observing.traces.spans import Place, Span, new_span_id, new_trace_id
from host.observing.traces.tracer import Tracer
from tests.hosts import wait_until
from tests.observing.collector import collecting
from triggers.trace_context import STATE, read_trace

HALF = "bad \ud800 text"
PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def span_of(name: str = "run f", error: str = "", state: str = "") -> Span:
    place = Place(new_trace_id(), new_span_id(), "", state)
    return Span(name, "internal", place, 1.0, 2.0, {"error.type": error, "n": 1} if error else {}, error)


class Stub:
    """Takes spans, but not those whose names are an error's."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def export(self, spans: Sequence[Span]) -> bool:
        for span in spans:
            if span.name == "bad":
                raise ValueError("no protobuf")
        self.taken += [span.name for span in spans]
        return True

    def close(self) -> None:
        pass


def send(open_exporter: Callable[[], Exporter], *batches: str) -> Sending:
    """Each of these by itself, one after the other."""
    sending = Sending(open_exporter, Bounds(batch=1, delay=0.01))
    sending.start()
    for name in batches:
        sending.put(span_of(name))
    wait_until(lambda: not sending._waiting, "all were tried")
    sending.stop(10.0)
    return sending


def test_what_no_encoding_says_is_replaced_and_costs_no_span() -> None:
    with collecting() as collector:
        exporter = OtlpExporter(collector.url, {})
        assert exporter.export([span_of(), span_of(f"run {HALF}", HALF), span_of("run 遥测", "遥测")])
        exporter.close()
    names = [(each.name, each.attributes.get("error.type")) for each in collector.spans]
    assert names == [("run f", None), ("run bad ? text", "bad ? text"), ("run 遥测", "遥测")]


def test_an_error_while_sending_costs_its_spans_only_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    stub = Stub()
    assert send(lambda: stub, "one", "bad", "two").lost == 1
    assert stub.taken == ["one", "two"]
    assert "by an error of ours (ValueError: no protobuf)" in caplog.text


def test_an_exporter_that_could_not_be_opened_is_opened_with_the_next_spans() -> None:
    stub, faults = Stub(), [RuntimeError("no certificates"), RuntimeError("still none")]

    def open_late() -> Exporter:
        if faults:
            raise faults.pop(0)
        return stub

    assert send(open_late, "one", "two").lost == 1
    assert stub.taken == ["two"]


@pytest.mark.parametrize(
    ("state", "fits"),
    [
        ("a=b,c@d=e", True),
        ("9t@sys=1, x-*/_9=2", True),
        (f"{'a' * 241}@{'b' * 14}=1", True),
        ("ab@@c=1", False),
        ("9=1", False),
        ("a@b@c=1", False),
        ("1@1=1", False),
        ("*a=1", False),
        ("a=b,a=c", False),
        (f"{'a' * 242}@b=1", False),
    ],
)
def test_a_tracestate_is_passed_on_if_opentelemetry_takes_it(state: str, fits: bool) -> None:
    assert (STATE in read_trace([PARENT], [state])) == fits == bool(TraceState.from_header([state]))


def test_opentelemetry_says_nothing_in_the_hosts_log(caplog: pytest.LogCaptureFixture) -> None:
    with collecting() as collector:
        exporter = OtlpExporter(collector.url, {})
        assert exporter.export([span_of(state="9=1")])
        exporter.close()
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


def test_a_look_for_traces_that_are_over_goes_on_after_one_that_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("host.observing.traces.part.TICK", 0.0)

    async def scene() -> None:
        faults, again = [RuntimeError("nobody foresaw this")], asyncio.Event()

        def look(tracer: Tracer) -> None:
            if faults:
                raise faults.pop()
            again.set()

        monkeypatch.setattr(Tracer, "look", look)
        stub = Stub()
        sending = Sending(lambda: stub)
        part = TracesPart(Tracer(sending.put, 1.0), sending)
        await part.start()
        await asyncio.wait_for(again.wait(), 10)
        await part.stop()

    asyncio.run(scene())
