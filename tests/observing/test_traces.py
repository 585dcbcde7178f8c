"""What a collector is told of events over HTTP and MQTT 5, and in which order they happened."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from conf.observing import Traces
from host.observing.traces.part import compose_traces, trace_dispatch
from runtime.dispatch.dispatcher import Dispatcher
from tests.brokers import Mosquitto
from tests.cli.stub_host import Prepared, StubServer
from tests.hosts import RunningHost, StartHost, wait_until
from tests.mqtt.clients import device, until
from tests.observing.collector import Collector, Seen, collecting

CALLER = "00f067aa0ba902b7"
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
TELL = "def index(event, context):\n    return [context.event.traceparent, context.event.tracestate]\n"
FAIL_ONCE = """
def index(event, context):
    if context.event.attempt == 1:
        raise ValueError("too hot")
    context.publish("seen", "1")
    return context.event.traceparent
"""
CONFIG = """
traces: {{endpoint: "{url}", headers: {{x-team: line1}}, sample: 0}}
callback_hosts: [127.0.0.1]
mqtts: [{{name: b1, broker: "{broker}", qos: 1}}]
rules:
- name: line1
  sub: {{name: b1, clientId: in, topic: in/+}}
  pub: {{name: b1, clientId: out, topic: out}}
  functions: [again]
funcs: [{{modelName: again, retry: {{backoff: 10ms}}}}]
"""


def parent_of(trace: str, flags: str = "01") -> str:
    return f"00-{trace}-{CALLER}-{flags}"


def inside(outer: Seen, *inner: Seen) -> bool:
    """Whether the others lie in it, one after the other (the two clocks are read microseconds apart)."""
    moments = [outer.start, *(moment for each in inner for moment in (each.start, each.end)), outer.end]
    return all(later - earlier > -5_000_000 for earlier, later in pairwise(moments))


@dataclass(frozen=True)
class Site:
    host: RunningHost
    broker: Mosquitto
    collector: Collector


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A host with a rule that traces what comes with a sampled trace."""
    folder = tmp_path_factory.mktemp("traced")
    broker = Mosquitto(folder)
    with collecting() as collector:
        broker.start()
        host = RunningHost(folder, CONFIG.format(url=collector.url, broker=broker.url))
        try:
            host.start().deploy({"index.py": TELL}, "tell")
            host.deploy({"index.py": FAIL_ONCE, "function.yaml": "publish: [seen]\n"}, "again")
            yield Site(host, broker, collector)
        finally:
            host.close()
            broker.kill()


def test_an_event_over_http_goes_on_with_its_callers_trace(site: Site) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": parent_of(trace), "tracestate": "a=1"}
    answer = site.host.invoke("tell", {}, headers=headers)
    spans = site.collector.wait_for(trace, "POST", "queue", "run")
    root, queue, run = spans["POST"], spans["queue"], spans["run"]
    assert answer.json() == [f"00-{trace}-{run.span}-01", "a=1"]
    assert (root.parent, queue.parent, run.parent) == (CALLER, root.span, root.span)
    assert (root.kind, queue.kind, run.kind) == (SERVER, INTERNAL, INTERNAL)
    assert {each.state for each in spans.values()} == {"a=1"}
    assert inside(root, queue, run)
    assert root.attributes["http.response.status_code"] == 200
    assert root.attributes["faas.trigger"] == "http"
    assert root.attributes["faas.invocation_id"] == answer.headers["x-request-id"]
    assert (run.attributes["faas.name"], run.attributes["faas.version"]) == ("tell", "1")
    assert site.collector.resource["service.name"] == "fnhost"
    assert site.collector.resource.keys() >= {"service.version", "host.name"}
    assert site.collector.headers[0]["x-team"] == "line1"


def test_a_trace_that_is_not_sampled_is_passed_on_as_it_came_and_a_malformed_one_is_none(site: Site) -> None:
    trace = "1" * 32
    tell, unsampled = site.host.invoke, parent_of(trace, "00")
    assert tell("tell", {}, headers={"traceparent": unsampled}).json() == [unsampled, None]
    assert tell("tell", {}, headers={"traceparent": "00-1-2-3"}).json() == [None, None]
    assert tell("tell", {}, headers=[("traceparent", parent_of(trace))] * 2).json() == [None, None]
    refused = "2" * 32
    assert tell("nobody", {}, headers={"traceparent": parent_of(refused)}).status_code == 404
    root = site.collector.wait_for(refused, "POST")["POST"]
    assert root.attributes["http.response.status_code"] == 404 and not root.failed
    assert not site.collector.of(trace)


def test_an_event_over_mqtt_has_its_receipt_its_attempts_its_publication_and_its_end_in_one_trace(
    site: Site,
) -> None:
    trace = "a" * 32
    user = [("traceparent", parent_of(trace)), ("tracestate", "a=1")]

    async def scene() -> dict[str, dict[str, str]]:
        with device(site.broker) as line:
            await line.listen("out")
            await line.listen("seen")
            line.say("in/7", b"1", properties={"UserProperty": user})
            await until(lambda: len(line.heard) == 2, "it is answered")
            return {each.topic: dict(vars(each.properties)["UserProperty"]) for each in line.heard}

    heard = asyncio.run(scene())
    spans = site.collector.wait_for(trace, "process", "receive", "queue", "run", "publish", "ack")
    root, runs = spans["process"], [each for each in site.collector.spans if each.name == "run again"]
    assert root.parent == CALLER and {each.parent for each in spans.values()} == {CALLER, root.span}
    assert [each.failed for each in runs] == [True, False]
    assert runs[0].attributes["error.type"] == "ValueError" and not root.failed
    passed_on = {"traceparent": f"00-{trace}-{runs[1].span}-01", "tracestate": "a=1"}
    assert heard["out"].items() >= passed_on.items() <= heard["seen"].items()
    assert inside(root, spans["receive"], *runs, spans["publish"], spans["ack"])
    kinds = {name: spans[name].kind for name in ("process", "publish", "ack")}
    assert kinds == {"process": CONSUMER, "publish": PRODUCER, "ack": CLIENT}
    told = root.attributes
    assert (told["messaging.system"], told["messaging.operation.type"]) == ("mqtt", "process")
    assert (told["messaging.destination.name"], told["messaging.destination.template"]) == ("in/7", "in/+")
    assert spans["publish"].attributes["messaging.destination.name"] == "out"
    assert spans["ack"].attributes["messaging.operation.type"] == "settle"


def test_an_asynchronous_event_takes_its_trace_to_the_callback_over_the_disk_and_a_failed_attempt(
    site: Site,
) -> None:
    trace = "b" * 32
    with StubServer() as receiver:
        receiver.answers["POST /done"] = Prepared(b"")
        headers = {"traceparent": parent_of(trace), "tracestate": "a=1", "x-invocation-type": "async"}
        headers["x-callback-url"] = f"{receiver.url}/done"
        assert site.host.invoke("again", {}, headers=headers).status_code == 202
        wait_until(lambda: receiver.seen, "it is called back")
        told = receiver.seen[0].headers
    spans = site.collector.wait_for(trace, "asynchronous", "run")
    runs = [each for each in site.collector.spans if each.trace == trace and each.name == "run again"]
    assert [each.failed for each in runs] == [True, False]
    assert told["traceparent"] == f"00-{trace}-{runs[1].span}-01" and told["tracestate"] == "a=1"
    assert spans["asynchronous"].parent == CALLER and spans["asynchronous"].kind == CONSUMER


def test_a_collector_that_is_away_costs_spans_only_and_what_is_lost_is_said_once(
    start_host: StartHost,
) -> None:
    with collecting() as collector:
        collector.status = 400
        host = start_host(f"traces: {{endpoint: '{collector.url}'}}\n")
        host.deploy({"index.py": "def index(event, context):\n    raise ValueError('too hot')\n"}, "fails")
        said = "spans are lost so far: the collector does not take them"
        assert host.invoke("fails", {}).status_code == 500
        wait_until(lambda: said in host.log(), "it is said")
        assert re.search(r"^fnhost_spans_lost_total [1-9]", host.client.get(f"{host.url}/metrics").text, re.M)
        collector.status = 200
        host.invoke("fails", {}, headers={"x-request-id": "second"})
        assert host.stop() == 0
    assert host.log().count("spans are lost") == 1 and "Traceback" not in host.log()
    ids = {each.attributes.get("faas.invocation_id") for each in collector.spans}
    assert "second" in ids, "what waited was sent before the end"
    root = next(each for each in collector.spans if each.kind == SERVER)
    run = next(each for each in collector.spans if each.name == "run fails")
    assert (root.parent, run.parent) == ("", root.span) and root.failed and run.failed
    assert (run.attributes["error.type"], root.attributes["error.type"]) == ("ValueError", "500")


def test_without_an_endpoint_the_dispatch_is_as_it_was_and_nothing_of_opentelemetry_is_imported() -> None:
    dispatch = Dispatcher().dispatch
    assert trace_dispatch(compose_traces(Traces()), dispatch) == dispatch
    code = "import host.compose, sys; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_an_endpoint_without_the_extra_is_a_fault_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'fnhost\[otel\]'"):
        Traces(endpoint="http://127.0.0.1:4318/v1/traces")
    with pytest.raises(ValueError, match="is no URL such as"):
        Traces(endpoint="127.0.0.1:4318")
