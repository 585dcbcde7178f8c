"""What metrics, records and history say of many mixed events is what those who sent them counted."""

import asyncio
from collections import Counter
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from runtime.observations import RESULTS
from tests.brokers import Mosquitto
from tests.hosts import RunningHost, StartHost, wait_until
from tests.mqtt.clients import device
from tests.observing import mixed_events as mixed

CONFIG = """
mqtts: [{{name: b1, broker: "{url}", qos: 1}}]
rules:
- {{name: mixed, sub: {{name: b1, clientId: host-in, topic: mixed/in}},
   pub: {{name: b1, clientId: host-out, topic: mixed/out}},
   error: {{name: b1, clientId: host-out, topic: mixed/errors}}}}
records: {{sample: 1, most: 20000, size: 256MiB}}
funcs: [{{modelName: 混合, retry: {{attempts: 1}}}}]
"""
EVENTS, RARE, CALLERS = 5000, 500, 8
"""Over each of HTTP and MQTT."""

Ends = Counter[tuple[str, str]]
"""By trigger and result."""


def test_all_accounts_of_10_000_mixed_events_agree_exactly(
    start_host: StartHost, mosquitto: Mosquitto
) -> None:
    host = start_host(CONFIG.format(url=mosquitto.url))
    done = host.deploy({"index.py": mixed.CODE, "function.yaml": mixed.MANIFEST}, mixed.NAME)
    assert done["type"] == "done", done
    wait_until(lambda: is_subscribed(host), "it is subscribed")
    expected = asyncio.run(send(host, mosquitto))
    assert expected.total() == 2 * EVENTS
    # An answer leaves before what is told of it is looked at; what is told is there by then.
    assert metrics_of(host) == expected
    by_result = results_of(expected)
    assert totals_of(host, "made") == by_result
    # On a machine whose disk is too slow for all of them, some are given up, and those are counted.
    records = records_of(host)
    assert records <= expected
    assert results_of(records) + totals_of(host, "forgotten") == by_result
    for step in ("1s", "10s", "1m"):
        wait_until(partial(_agrees, host, step, by_result), f"the history by {step} has all of them", 90)


async def send(host: RunningHost, mosquitto: Mosquitto) -> Ends:
    """Half of them over each trigger, at the same time; what the senders have counted."""
    url = f"{host.url}/invoke/{mixed.quoted()}"
    http = mixed.bodies(EVENTS, RARE, ["good", "raised", "nothing", "good", "good"])
    mqtt = mixed.bodies(EVENTS, RARE, ["good", "good", "raised"])
    with device(mosquitto) as line:
        for topic in (mixed.OUT, mixed.ERRORS):
            await line.listen(topic)
        sending = mixed.send_over_http(url, http, CALLERS), mixed.send_over_mqtt(line, mqtt)
        told = await asyncio.gather(*sending)
    triggers = zip(("http", "mqtt"), told, strict=True)
    return Counter({(trigger, end): count for trigger, ended in triggers for end, count in ended.items()})


def metrics_of(host: RunningHost) -> Ends:
    """What the metrics page says."""
    ends: Ends = Counter()
    for family in text_string_to_metric_families(host.client.get(f"{host.url}/metrics").text):
        if family.name == "fnhost_invocations":
            for sample in family.samples:
                if sample.name == "fnhost_invocations_total":
                    labels = sample.labels
                    assert labels["function"] == mixed.NAME
                    ends[labels["trigger"], labels["result"]] += int(sample.value)
    return +ends


def records_of(host: RunningHost) -> Ends:
    """What the records themselves say, each read."""
    ends: Ends = Counter()
    before: dict[str, int] = {}
    while True:
        answer = host.client.get(f"{host.url}/api/records", params={"limit": 1000, **before}).json()
        if not (page := answer["records"]):
            return ends
        ends.update((each["trigger"], each["result"]) for each in page)
        before = {"before": page[-1]["number"]}


def totals_of(host: RunningHost, what: str) -> Counter[str]:
    """How many records were made, or forgotten, by result."""
    totals = host.client.get(f"{host.url}/api/records", params={"limit": 1}).json()["totals"]
    return +Counter({result: told[what] for result, told in totals.items()})


def results_of(ends: Ends) -> Counter[str]:
    """Without their triggers."""
    told: Counter[str] = Counter()
    for (_, result), count in ends.items():
        told[result] += count
    return told


def history_of(host: RunningHost, step: str) -> Counter[str]:
    """What the rows of the function's history say together."""
    asked = {"function": mixed.NAME, "step": step, "since": "15m", "columns": ",".join(RESULTS)}
    (series,) = host.client.get(f"{host.url}/api/metrics", params=asked).json()["series"]
    told: Counter[str] = Counter({result: sum(series["values"][result]) for result in RESULTS})
    return +told


def _agrees(host: RunningHost, step: str, expected: Counter[str]) -> bool:
    """Whether the row of this second is there, too; before that it says no more than that."""
    told = history_of(host, step)
    assert told <= expected
    return told == expected


def is_subscribed(host: RunningHost) -> bool:
    checks = host.client.get(f"{host.url}/readyz").json()["checks"]
    mqtt = [check for check in checks if check["name"].startswith("mqtt")]
    return len(mqtt) >= 2 and all(check["ok"] for check in mqtt)
