"""The pages of dead letters, over a real broker: why, edit, replay, drop, and who may."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from tests.brokers import Mosquitto
from tests.browser import Browser
from tests.console.console import go, sign_in
from tests.hosts import RunningHost, wait_until

PICKY = """
def index(event, context):
    if event["t"] > 100:
        raise ValueError(f"<b>too hot</b>: {event['t']}")
    return event["t"]
"""
API = "/api/dead-letters"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One for all tests here."""
    running = Mosquitto(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def shared_host(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with a function that takes no more than 100, and tries each event once."""
    rule = {
        "name": "telemetry",
        "sub": {"name": "b1", "clientId": "host-in", "topic": "in"},
        "pub": {"name": "b1", "clientId": "host-out", "topic": "out"},
        "functions": ["picky"],
        "retry": {"attempts": 1},
    }
    told = {
        "mqtts": [{"name": "b1", "broker": broker.url, "qos": 1}],
        "rules": [rule],
        "funcs": [{"modelName": "picky"}],
    }
    host = RunningHost(tmp_path_factory.mktemp("host"), json.dumps(told)).start()
    assert host.deploy({"index.py": PICKY}, "picky")["type"] == "done"
    wait_until(
        lambda: all(each["connected"] for each in ask(host, "/api/mqtt")["connections"]),
        "the host is at the broker",
    )
    yield host
    host.close()


def ask(host: RunningHost, path: str) -> Any:
    """What the API says."""
    return host.client.get(host.url + path).json()


def kill_event(host: RunningHost, broker: Mosquitto, t: int) -> int:
    """Send an event that fails for good; returns its dead letter's number."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish("in", json.dumps({"t": t}), qos=1).wait_for_publish(60)
    client.loop_stop()
    client.disconnect()

    def found() -> list[int]:
        return [each["seq"] for each in ask(host, API)["dead_letters"] if each["message"].endswith(f": {t}")]

    seqs: list[int] = wait_until(found, "it is a dead letter")
    return seqs[0]


def test_a_dead_letter_is_edited_and_replayed_to_success(
    shared_host: RunningHost, broker: Mosquitto, console: Browser
) -> None:
    seq = kill_event(shared_host, broker, 180)
    go(console, shared_host, "/console/dead-letters")
    shown = f"document.querySelector('tr[data-seq=\"{seq}\"]').textContent"
    assert "The function raised an error" in console.run(shown)
    assert "ValueError: <b>too hot</b>: 180" in console.run(shown)
    go(console, shared_host, f"/console/dead-letters/{seq}")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    console.wait_for("document.getElementById('payload').textContent.includes('180')", "the payload is there")
    console.run(
        "document.getElementById('edited').value = '{no json', document.getElementById('edited').focus()"
    )
    console.type("!")
    console.wait_for("!document.getElementById('fault').hidden", "a fault is shown while it is typed")
    console.run("document.getElementById('edited').value = '{\"t\": 18}'")
    console.run("document.querySelector('#edit button').click()")
    outcome = "document.getElementById('outcome').textContent"
    console.wait_for(f"{outcome}.startsWith('Answered')", "the function has answered")
    assert seq not in [each["seq"] for each in ask(shared_host, API)["dead_letters"]]
    told = [each for each in ask(shared_host, "/api/audit")["records"] if each["action"] == "letters.replay"]
    assert "edited=9 original=10" in told[-1]["target"]
    assert '{"t": 180}' in told[-1]["reason"]
    assert console.complaints == []


def test_a_letter_that_fails_again_says_so_and_is_a_new_one(
    shared_host: RunningHost, broker: Mosquitto, console: Browser
) -> None:
    seq = kill_event(shared_host, broker, 250)
    go(console, shared_host, f"/console/dead-letters/{seq}", "zh-CN")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    console.run("document.querySelector('[data-act=replay]').click()")
    outcome = "document.getElementById('outcome').textContent"
    console.wait_for(f"{outcome}.startsWith('再次失败') && {outcome}.includes('250')", "it failed again")
    seqs = wait_until(lambda: ask(shared_host, API)["dead_letters"], "it is a dead letter again")
    assert seqs[0]["seq"] != seq
    assert console.complaints == []


def test_who_may_not_is_not_offered_to_replay_or_drop(
    shared_host: RunningHost, broker: Mosquitto, browser: Browser
) -> None:
    seq = kill_event(shared_host, broker, 300)
    order = {"name": "looker", "scopes": ["read"]}
    token = shared_host.client.post(f"{shared_host.url}/api/tokens", json=order).json()["token"]
    sign_in(browser, shared_host, token)
    for path in ("/console/dead-letters", f"/console/dead-letters/{seq}"):
        go(browser, shared_host, path)
        assert browser.run("document.querySelectorAll('main [data-act], main textarea').length") == 0


def test_all_of_a_choice_are_dropped_after_a_question_and_none_left_is_good(
    shared_host: RunningHost, broker: Mosquitto, console: Browser
) -> None:
    for t in (401, 402):
        kill_event(shared_host, broker, t)
    go(console, shared_host, "/console/dead-letters?error=ValueError")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    console.run("document.querySelector('[data-act=drop_all]').click()")
    console.wait_for("document.querySelector('dialog[open] button.danger')", "it asks first")
    assert ask(shared_host, API)["total"] >= 2
    console.run("document.querySelector('dialog[open] button.danger').click()")
    console.wait_for("document.querySelector('#rows .empty .good')", "none is left, and that is good")
    assert ask(shared_host, API)["total"] == 0
    assert console.complaints == []
