"""The API shows what passes over MQTT, redacted, and publishes and listens for those who may."""

import base64
import json
import signal
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.brokers import Mosquitto
from tests.hosts import PATIENCE, RunningHost, StartHost, wait_until
from tests.mqtt.clients import Device, device

CONFIG = """
mqtts:
- {{name: b1, broker: "{url}", qos: 1}}
- {{name: gone, broker: "tcp://127.0.0.1:1", username: u, password: secret-word}}
rules:
- {{name: r1, functions: [echo],
   sub: {{name: b1, clientId: host-in, topic: in/+}}, pub: {{name: b1, clientId: host-out, topic: out}}}}
records: {{redact: [user.password]}}
secrets: {{api: "open-sesame"}}
"""
ECHO = "def index(event, context):\n    return event\n"


class Scene:
    """A host with a broker and somebody who publishes."""

    def __init__(self, host: RunningHost, line: Device, url: str) -> None:
        self.url = url
        self.host = host
        self.line = line

    def get(self, path: str, **params: str) -> httpx.Response:
        return self.host.client.get(f"{self.host.url}/api/mqtt{path}", params=params)

    def publish(self, **told: Any) -> httpx.Response:
        order = {"broker": "b1", "topic": "plant/t", "payload": "1", **told}
        return self.host.client.post(f"{self.host.url}/api/mqtt/publish", content=json.dumps(order))

    def topics(self, **params: str) -> dict[str, dict[str, Any]]:
        return {each["topic"]: each for each in self.get("/topics", **params).json()["topics"]}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("seen")
    broker = Mosquitto(folder)
    broker.start()
    host = RunningHost(folder, CONFIG.format(url=broker.url))
    try:
        host.start().deploy({"index.py": ECHO}, "echo")
        with device(broker) as line:
            shown = Scene(host, line, broker.url)
            wait_until(lambda: shown.get("").json()["connections"][0]["connected"], "it is subscribed")
            yield shown
    finally:
        broker.kill()
        host.close()


def test_brokers_and_connections_are_told_with_their_past_and_no_password(scene: Scene) -> None:
    answer = scene.get("")
    assert "secret-word" not in answer.text
    told = answer.json()
    here, gone = told["brokers"]
    assert (here["version"], here["tls"], gone["address"]) == ("5", False, "tcp://127.0.0.1:1")
    assert here["rules"] == [{"name": "r1", "filter": "in/+", "retained": False}]
    subscribing = told["connections"][0]
    assert [each["connected"] for each in subscribing["spells"]] == [False, True]
    assert subscribing["since"] == pytest.approx(subscribing["spells"][1]["since"], abs=0.001)
    assert subscribing["next_try"] is None


def test_topics_and_messages_are_told_and_what_is_to_be_redacted_is_not(scene: Scene) -> None:
    scene.line.say("in/1", b'{"user": {"password": "hidden", "name": "x"}}', qos=1)
    wait_until(lambda: {"in/1", "out"} <= scene.topics().keys(), "event and result have passed")
    scene.line.say("in/2", b"password=hidden", qos=1)
    wait_until(lambda: "in/2" in scene.topics(), "another has come")
    topics = scene.topics()
    assert (topics["in/1"]["received"], topics["in/1"]["sent"], topics["out"]["sent"]) == (1, 0, 1)
    assert scene.topics(broker="b1", filter="in/+").keys() == {"in/1", "in/2"}
    (message,) = scene.get("/messages", broker="b1", topic="in/1").json()["messages"]
    assert (message["way"], message["qos"], message["client_id"]) == ("in", 1, "host-in")
    assert message["redacted"] and message["size"] == 45
    (unread,) = scene.get("/messages", broker="b1", topic="in/2").json()["messages"]
    assert unread["payload"] == "" and "records.redact" in unread["lost"]
    scene.line.say("in/3", b'{"said": "open-sesame"}', qos=1, properties={"ContentType": "open-sesame"})
    wait_until(lambda: "in/3" in scene.topics(), "a secret of a function has passed")
    (masked,) = scene.get("/messages", broker="b1", topic="in/3").json()["messages"]
    assert masked["redacted"] and json.loads(base64.b64decode(masked["payload"])) == {"said": "***"}
    assert ["ContentType", "***"] in masked["properties"]
    everything = json.dumps([topics, message, unread])
    assert "hidden" not in everything and "aGlkZGVu" not in everything
    assert scene.get("/messages", broker="b1", topic="nothing").status_code == 404
    assert scene.get("/messages", broker="b9", topic="in/1").status_code == 404
    assert scene.get("/topics", filter="$share/x").status_code == 422


def test_publishing_is_answered_once_the_broker_has_it_and_the_audit_log_knows(scene: Scene) -> None:
    told = scene.publish(payload_base64="AP8=", payload=None, qos=2, content_type="x/y")
    assert (told.status_code, told.json()["published"]) == (200, True)
    assert scene.topics()["plant/t"]["sent"] == 1
    for wrong, status in (
        ({"topic": "plant/#"}, 422),
        ({"topic": "a\nb"}, 422),
        ({"payload_base64": "!"}, 422),
        ({"qos": 3}, 422),
        ({"more": 1}, 422),
        ({"topic": "\ud800"}, 422),
        ({"broker": "b9"}, 404),
        ({"broker": "gone"}, 503),
        ({"payload": "x" * 270_000}, 413),
    ):
        assert scene.publish(**wrong).status_code == status, wrong
    records = scene.host.client.get(f"{scene.host.url}/api/audit").json()["records"]
    done = [each for each in records if each["action"] == "mqtt.publish"]
    assert (done[0]["outcome"], done[0]["target"]) == ("ok", "broker=b1 qos=2 retain=0 bytes=2 topic=plant/t")


def test_who_listens_is_told_each_second_and_hears_what_no_rule_does(scene: Scene) -> None:
    url, params = f"{scene.host.url}/api/mqtt/listen", {"broker": "b1", "filter": "far/#"}
    with scene.host.client.stream("GET", url, params=params) as answer:
        lines = answer.iter_lines()
        assert json.loads(next(lines)) == {"listening": True, "why": "", "heard": 0, "left_out": 0}
        scene.line.say("far/away", b"1")
        while json.loads(next(lines))["heard"] != 1:
            pass
    assert scene.topics()["far/away"]["heard"] == 1
    for wrong, status in (
        ({"broker": "b9", "filter": "#"}, 404),
        ({"broker": "gone", "filter": "#"}, 503),
        ({"broker": "b1", "filter": "$share/g/#"}, 422),
        ({"broker": "b1"}, 422),
    ):
        assert scene.get("/listen", **wrong).status_code == status, wrong


def test_a_host_that_stops_ends_what_is_listened_to(scene: Scene, start_host: StartHost) -> None:
    host = start_host(CONFIG.partition("rules:")[0].format(url=scene.url))
    params = {"broker": "b1", "filter": "far/#"}
    with host.client.stream("GET", f"{host.url}/api/mqtt/listen", params=params) as answer:
        lines = answer.iter_lines()
        next(lines)
        host.process.send_signal(signal.SIGTERM)
        *_, last = lines
    assert json.loads(last)["why"] == "the host stops"
    assert host.process.wait(PATIENCE) == 0


def test_a_token_that_may_only_read_looks_and_does_nothing(scene: Scene) -> None:
    made = scene.host.client.post(f"{scene.host.url}/api/tokens", json={"scopes": ["read"]}).json()
    headers = {"authorization": f"Bearer {made['token']}"}
    url = f"{scene.host.url}/api/mqtt"
    assert httpx.get(f"{url}/topics", headers=headers).status_code == 200
    assert httpx.post(f"{url}/publish", headers=headers, json={}).status_code == 403
    listen = httpx.get(f"{url}/listen", headers=headers, params={"broker": "b1", "filter": "#"})
    assert listen.status_code == 403
