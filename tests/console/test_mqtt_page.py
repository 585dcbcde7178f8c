"""The MQTT page: topics as a tree, messages byte by byte, publishing, listening, connections."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.brokers import Mosquitto
from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.hosts import RunningHost, wait_until
from tests.mqtt.clients import Device, device

CONFIG = """
mqtts: [{{name: b1, broker: "{url}", qos: 1}}]
rules:
- {{name: r1, functions: [echo],
   sub: {{name: b1, clientId: host-in, topic: in/+}}, pub: {{name: b1, clientId: host-out, topic: out}}}}
"""
ECHO = "def index(event, context):\n    return event\n"
EVIL = "<img src=x onerror=alert(1)>"
TREE = "document.getElementById('tree').textContent"
LABELS = "[...document.querySelectorAll('#tree .label')].map((each) => each.textContent).join(' ')"
ROWS = "document.querySelectorAll('#messages tr').length"
PUBLISHED = "document.getElementById('publish-form').elements.payload.value"
CUT = 100_000
PAYLOAD = "document.querySelector('.payload').textContent"


class Scene:
    """A host with a broker, somebody who publishes, and the page."""

    def __init__(self, host: RunningHost, broker: Mosquitto, line: Device, browser: Browser) -> None:
        self.host = host
        self.broker = broker
        self.line = line
        self.page = browser

    def run(self, script: str) -> Any:
        return self.page.run(script)

    def click(self, where: str) -> None:
        self.run(f"document.querySelector({json.dumps(where)}).click()")

    def open(self, query: str = "", language: str = "en") -> None:
        go(self.page, self.host, f"/console/mqtt{query}", language)
        self.page.wait_for("document.getElementById('live').dataset.state === 'live'", "the page is live")

    def subscribed(self) -> bool:
        told = self.host.client.get(f"{self.host.url}/api/mqtt").json()
        return all(each["connected"] for each in told["connections"])


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("mqtt-page")
    broker = Mosquitto(folder)
    broker.start()
    host = RunningHost(folder, CONFIG.format(url=broker.url))
    try:
        host.start().deploy({"index.py": ECHO}, "echo")
        with device(broker) as line:
            scene = Scene(host, broker, line, browser)
            wait_until(scene.subscribed, "it is subscribed")
            yield scene
    finally:
        broker.kill()
        host.close()


@pytest.fixture
def scene(shown: Scene) -> Scene:
    """The same, signed in as whoever may do everything."""
    sign_in(shown.page, shown.host)
    shown.page.complaints.clear()
    return shown


def test_a_topic_is_found_by_keyboard_and_its_messages_are_shown_live_in_four_ways(scene: Scene) -> None:
    page, line = scene.page, scene.line
    line.say(f"in/{EVIL}", json.dumps({"t": 188, "said": EVIL}).encode(), properties={"ContentType": EVIL})
    scene.open()
    page.wait_for(f"{TREE}.includes({json.dumps(EVIL)})", "the topic is in the tree")
    scene.run("document.querySelector('#tree [tabindex=\"0\"]').focus()")
    page.press("ArrowRight")
    page.press("ArrowRight")
    page.press("Enter")
    page.wait_for(f"{ROWS} === 1", "its message is there")
    assert scene.run("document.getElementById('topic-title').textContent") == f"in/{EVIL}"
    assert EVIL in scene.run("document.querySelector('.message dl').textContent")
    page.wait_for(f"{PAYLOAD}.includes('188')", "the payload is there")

    scene.run(
        "[...document.querySelectorAll('.json-number')].find((each) => each.textContent === '188').click()"
    )
    page.wait_for("document.querySelector('#field-charts canvas')", "the field is plotted")
    scene.click(".message input[type=checkbox]")
    line.say(f"in/{EVIL}", json.dumps({"t": 190, "said": EVIL}).encode())
    page.wait_for(
        f"{ROWS} === 2 && {PAYLOAD}.includes('≠ was 188')", "another came, and what changed is marked"
    )
    assert f'"{EVIL}"' in scene.run(PAYLOAD)

    scene.click("#messages tr:last-child button")
    scene.click("#publish-here")
    assert '"t": 188' in scene.run(PUBLISHED), "what is chosen is published again, not the newest"
    line.say(f"in/{EVIL}", b"x" * CUT)
    page.wait_for(f"{ROWS} === 3", "a message came of which only the beginning is kept")
    scene.click("#messages tr:first-child button")
    page.wait_for("document.getElementById('publish-here').disabled", "a part is not published as a whole")
    scene.click("#messages tr:nth-child(2) button")
    page.wait_for("!document.getElementById('publish-here').disabled", "but another is")

    scene.click("[data-view=hex]")
    assert scene.run(PAYLOAD).startswith("0000  7b 22 74 22 3a 20 31 39 30 2c")
    scene.click("[data-view=decimal]")
    assert scene.run(PAYLOAD).startswith("    0  123  34 116  34")
    scene.click("[data-view=text]")
    assert scene.run(PAYLOAD) == json.dumps({"t": 190, "said": EVIL})
    assert scene.run("document.querySelectorAll('img[src=x]').length") == 0
    assert page.complaints == []

    scene.run(
        "document.getElementById('topics-filter').value = 'OUT',"
        "document.getElementById('topics-filter').dispatchEvent(new Event('input'))"
    )
    page.wait_for(f"{LABELS} === 'b1 out'", "the filter leaves the results")


def test_publishing_warns_of_rules_asks_before_it_retains_and_says_what_the_broker_said(scene: Scene) -> None:
    page = scene.page
    scene.open(language="zh-CN")
    fill = (
        "(topic, payload, retain) => { const f = document.getElementById('publish-form');"
        " f.elements.topic.value = topic; f.elements.payload.value = payload;"
        " f.elements.retain.checked = retain; f.dispatchEvent(new Event('input')); }"
    )
    scene.run(f"({fill})('in/form', '{{\"t\": 1}}', false)")
    assert "r1 (in/+)" in scene.run("document.getElementById('publish-warning').textContent")
    scene.click("#publish-form button")
    page.wait_for("document.querySelector('#publish-state .good')", "the broker has it")
    page.wait_for(f"{TREE}.includes('form')", "it is seen")

    scene.run(f"({fill})('kept/here', 'x', true)")
    assert scene.run("document.getElementById('publish-warning').hidden")
    scene.run("document.getElementById('publish-state').textContent = ''")
    scene.click("#publish-form button")
    page.wait_for("document.querySelector('dialog[open]')?.textContent.includes('kept/here')", "it asks")
    scene.click("dialog button.danger")
    page.wait_for("document.querySelector('#publish-state .good')", "it is published")
    told = scene.host.client.get(
        f"{scene.host.url}/api/mqtt/messages", params={"broker": "b1", "topic": "kept/here"}
    ).json()
    assert told["messages"][0]["retain"] is True
    assert page.complaints == []


def test_who_listens_sees_topics_that_no_rule_has(scene: Scene) -> None:
    page = scene.page
    scene.open("?broker=b1&topic=far/away")
    page.wait_for(
        "document.getElementById('topic-name').textContent === 'far/away'", "it waits for the topic"
    )
    scene.run("document.querySelector('.listen').open = true")
    scene.click("#listen button[type=submit]")
    page.wait_for("document.querySelector('#listen-state .good')", "it listens")
    scene.line.say("far/away", bytes(range(256)))
    page.wait_for(f"{ROWS} === 1", "the message is there")
    assert "00f0  f0 f1" in scene.run(PAYLOAD), "bytes that are no text are shown in hex"
    scene.click("#listen button[name=stop]")
    page.wait_for("!document.querySelector('#listen button[type=submit]').hidden", "it has ended")
    assert page.complaints == []


def test_a_token_that_may_only_read_is_offered_neither_publishing_nor_listening(scene: Scene) -> None:
    client, url = scene.host.client, scene.host.url
    made = client.post(f"{url}/api/tokens", json={"scopes": ["read"]}).json()
    sign_in(scene.page, scene.host, made["token"])
    scene.open()
    scene.page.wait_for(f"{TREE}.includes('b1')", "topics are there")
    assert scene.run("document.querySelectorAll('#publish, #listen, #publish-here').length") == 0
    assert scene.run("document.querySelectorAll('.connections [data-connection]').length") == 2


def test_a_broker_that_goes_and_comes_is_seen_with_its_past(scene: Scene) -> None:
    page = scene.page
    good, bad = (
        f"document.querySelectorAll('.connections td .state.{each}').length" for each in ("good", "bad")
    )
    first = "document.querySelector('.connections details .spells')"
    scene.open()
    page.wait_for(f"{good} > 0 && {bad} === 0", "both connections are there")
    scene.run("document.querySelector('.connections details').open = true")
    scene.broker.kill()
    page.wait_for(
        "document.querySelectorAll('.connections tr.fault').length === 2", "the page says that it is gone"
    )
    assert scene.run(f"{first}.closest('details').open"), "what was open stays open"
    scene.broker.start()
    page.wait_for("!document.querySelector('.connections tr.fault')", "and that it is back")
    assert scene.run(f"{first}.querySelectorAll('.bad').length") >= 1
    wait_until(scene.subscribed, "it is subscribed again")
