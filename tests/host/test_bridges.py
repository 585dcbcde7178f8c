"""Bridges and rate limits of the config, in a real host."""

import asyncio

from tests.bridge.source import Source, numbered
from tests.brokers import Mosquitto
from tests.hosts import RunningHost, StartHost, wait_until
from tests.mqtt.clients import device, until

CONFIG = """
mqtts: [{{name: b1, broker: "{broker}", qos: 1}}]
rules:
- {{sub: {{name: b1, clientId: 1, topic: in}}, pub: {{name: b1, clientId: 2, topic: out}}}}
funcs: [{{modelName: echo, rate: {{label: calm, local: {{count: 3, interval: {interval}}}}}}}]
bridges:
- name: numbers
  input: {{http_client: {{url: "{source}", rate_limit: few}}}}
  output: {{mqtt: {{urls: ["{broker}"], topic: {topic}}}}}
rate_limit_resources: [{{label: few, local: {{count: 1, interval: 20ms}}}}]
"""
ECHO = {"index.py": "def index(event, context):\n    return event\n"}


def connected(host: RunningHost) -> bool:
    checks = host.client.get(f"{host.url}/readyz").json()["checks"]
    found = [check for check in checks if check["name"].startswith(("mqtt", "bridge"))]
    return len(found) == 3 and all(check["ok"] for check in found)


def test_a_bridge_feeds_a_rule_whose_function_keeps_to_its_rate(
    start_host: StartHost, mosquitto: Mosquitto
) -> None:
    source = Source(lambda number: numbered(number) if number < 5 else (200, b""))
    config = CONFIG.format(broker=mosquitto.url, source=source.url, topic="in", interval="300ms")
    host = start_host(config)
    host.deploy(ECHO, "echo")
    wait_until(lambda: "Connection refused; trying again" in host.log(), "the source is down")

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("out")
            source.start()
            await until(lambda: len(line.heard) == 5, "all five are answered")
            assert line.payloads() == [b'{"n": %d}' % number for number in range(5)]

    try:
        asyncio.run(scene())
        wait_until(lambda: connected(host), "nothing is amiss")
    finally:
        source.stop()
    assert "HTTP Request" not in host.log()


def test_beyond_its_rate_callers_of_a_function_are_told_when_to_come_back(
    start_host: StartHost, mosquitto: Mosquitto
) -> None:
    host = start_host(
        CONFIG.format(broker=mosquitto.url, source="http://127.0.0.1:1/", topic="x", interval="1d")
    )
    host.deploy(ECHO, "echo")
    answers = [host.invoke("echo", {"n": number}) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 28_000 <= int(answers[3].headers["retry-after"]) <= 28_800
    assert "rate limit" in answers[3].json()["detail"]
    assert host.invoke("echo@1", {"n": 5}).status_code == 429
