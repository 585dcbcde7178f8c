"""The page of metrics of a real host says what has happened to its functions, and follows the rules."""

import asyncio
import re

import httpx

from tests.hosts import StartHost, start_host, wait_until
from tests.mqtt.clients import device, until
from tests.observing.pages import value_of
from tests.observing.scraped import DIVIDE, Scraped, scraped

__all__ = ["scraped", "start_host"]

RULE = {"broker": "line1", "client": "in", "rule": "遥测"}
ABBREVIATED = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"}
UNITS = ("seconds", "bytes", "ratio")
TYPES = {"counter", "gauge", "histogram", "summary"}


def test_the_page_tells_what_became_of_events_and_who_runs_them(scraped: Scraped) -> None:
    scraped.host.invoke("nobody", "1")
    page = scraped.page()
    runs = {"function": "divide", "revision": "1", "trigger": "http"}
    assert value_of(page, "fnhost_invocations_total", **runs, result="ok") == 2
    assert value_of(page, "fnhost_invocations_total", **runs, result="raised") == 1
    assert value_of(page, "fnhost_refused_total", function="(unknown)", reason="unknown_function") == 1
    assert value_of(page, "fnhost_instances", function="divide", state="idle") == 1
    assert value_of(page, "fnhost_starts_total", function="divide", kind="cold") == 1
    assert value_of(page, "fnhost_queue_limit_events", function="divide") == 1000
    assert value_of(page, "fnhost_ready") == 1
    assert value_of(page, "fnhost_scrape_errors_total") == 0
    assert value_of(page, "process_open_fds") > 0
    cpu, memory = "fnhost_function_cpu_seconds_total", "fnhost_function_memory_bytes"
    wait_until(lambda: value_of(scraped.page(), cpu, function="divide") > 0, "its processor time is read")
    wait_until(lambda: value_of(scraped.page(), memory, function="divide") > 0, "its memory is read")


def test_the_page_tells_what_came_from_a_broker_and_what_waits_for_it(scraped: Scraped) -> None:
    async def scene() -> None:
        with device(scraped.broker) as line:
            await line.listen("results")
            for payload in (b"1", b"2", b"0"):
                line.say("telemetry/d1", payload)
            await until(lambda: len(line.heard) == 2, "two are answered")

    def is_connected() -> bool:
        return value_of(scraped.page(), "fnhost_mqtt_connected", **RULE) == 1

    wait_until(is_connected, "the rule is subscribed")
    asyncio.run(scene())
    wait_until(
        lambda: value_of(scraped.page(), "fnhost_mqtt_messages_published_total", client="out") == 2,
        "both results are confirmed",
    )
    wait_until(lambda: value_of(scraped.page(), "fnhost_dead_letters") == 1, "the third is a dead letter")
    page = scraped.page()
    assert value_of(page, "fnhost_mqtt_messages_received_total", **RULE) == 3
    assert value_of(page, "fnhost_mqtt_events_answered_total", **RULE) == 2
    assert value_of(page, "fnhost_mqtt_events_failed_total", **RULE) == 1
    assert value_of(page, "fnhost_mqtt_refusals_total", **RULE, reason="name") == 0
    assert value_of(page, "fnhost_inbox_events", trigger="mqtt", source="遥测", function="divide") == 0
    scraped.broker.stop()
    wait_until(lambda: not is_connected(), "the host knows that the broker is away")
    scraped.broker.start()
    wait_until(is_connected, "it is back")
    assert value_of(scraped.page(), "fnhost_mqtt_reconnects_total", **RULE) >= 1


def test_the_page_of_a_function_that_is_removed_forgets_it(scraped: Scraped) -> None:
    host = scraped.host
    host.deploy(DIVIDE, "short")
    host.invoke("short", "1")
    assert value_of(scraped.page(), "fnhost_invocations_total", function="short") == 1
    host.client.delete(f"{host.url}/api/functions/short").raise_for_status()
    told = [each for family in scraped.page().values() for each in family.samples]
    assert not [each for each in told if each.labels.get("function") == "short"]


def test_a_head_has_no_body_and_the_format_is_that_asked_for(scraped: Scraped) -> None:
    url = f"{scraped.host.url}/metrics"
    head = httpx.head(url, trust_env=False)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    answer = httpx.get(url, headers={"accept": "application/openmetrics-text"}, trust_env=False)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_names_and_units_are_as_promtool_wants_them(scraped: Scraped) -> None:
    """The rules of `promtool check metrics` (github.com/prometheus/client_golang, promlint)."""
    page = scraped.page()
    for name, family in page.items():
        words = name.split("_")
        assert re.fullmatch(r"(fnhost|process)(_[a-z0-9]+)+", name), name
        assert family.documentation.endswith("."), name
        assert family.type in TYPES, name
        assert not TYPES & set(words), f"{name} names its type"
        assert not ABBREVIATED & set(words), f"{name} abbreviates a unit"
        assert words[-1] not in ("total", "count", "sum", "bucket"), name
        assert not (set(UNITS) & set(words[:-1])), f"the unit of {name} is not its end"
        assert "le" not in {label for each in family.samples for label in each.labels} or (
            family.type == "histogram"
        )


def test_no_label_names_a_topic_or_a_device(scraped: Scraped) -> None:
    labels = {label for family in scraped.page().values() for each in family.samples for label in each.labels}
    known = {"function", "revision", "trigger", "result", "reason", "state", "kind", "layer", "le", "source"}
    known |= {"broker", "client", "rule", "timer", "bridge", "version", "python"}
    assert labels <= known


def test_no_series_is_told_twice(scraped: Scraped) -> None:
    for name, family in scraped.page().items():
        series = [(each.name, tuple(sorted(each.labels.items()))) for each in family.samples]
        assert len(series) == len(set(series)), name


def test_the_config_can_ask_for_a_token(start_host: StartHost) -> None:
    host = start_host("access: {metrics: token}\n")
    url = f"{host.url}/metrics"
    assert httpx.get(url, trust_env=False).status_code == 401
    made = host.client.post(f"{host.url}/api/tokens", json={"scopes": ["read"]}).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert httpx.get(url, headers=bearer, trust_env=False).status_code == 200
