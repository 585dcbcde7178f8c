"""The pages of devices, over a real broker: who is there, what each said, and its plot."""

import json
from collections.abc import Iterator

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from host.console.pages.devices import DevicesSource
from host.console.wording import device_link
from host.observing.devices import devices as bounds
from host.observing.devices.devices import Devices
from host.observing.devices.listing import Listing
from tests.brokers import Mosquitto
from tests.browser import Browser
from tests.console.console import go
from tests.hosts import RunningHost, wait_until
from tests.observing.test_devices import BEGIN, Clock, run_at

SCORE = "def index(event, context):\n    return {'score': event['t'] / 100}\n"
HOSTILE = "<img src=x onerror=alert(1)>"
TURNED = "press\u202e1"
NAMES = "[...document.querySelectorAll('tr[data-device]')].map((row) => row.dataset.device).join()"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """One for all tests here."""
    running = Mosquitto(tmp_path_factory.mktemp("broker"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="module")
def shared_host(broker: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A host with a rule that has the device's name in the topic, and a device that never sends."""
    rule = {
        "name": "telemetry",
        "sub": {"name": "b1", "clientId": "host-in", "topic": "plant/+/data"},
        "pub": {"name": "b1", "clientId": "host-out", "topic": "out"},
        "functions": ["score", "spare"],
        "bind": {"from": "topic:2"},
    }
    spare = {"modelName": "spare", "devices": [{"deviceName": "oven-9"}]}
    told = {
        "mqtts": [{"name": "b1", "broker": broker.url, "qos": 1}],
        "rules": [rule],
        "funcs": [{"modelName": "score"}, spare],
    }
    host = RunningHost(tmp_path_factory.mktemp("host"), json.dumps(told)).start()
    assert host.deploy({"index.py": SCORE}, "score")["type"] == "done"
    connected = f"{host.url}/api/mqtt"
    wait_until(
        lambda: all(each["connected"] for each in host.client.get(connected).json()["connections"]),
        "the host is at the broker",
    )
    yield host
    host.close()


def send(broker: Mosquitto, device: str, **event: object) -> None:
    """Publish an event of a device, and wait until the broker has it."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.publish(f"plant/{device}/data", json.dumps(event), qos=1).wait_for_publish(60)
    client.loop_stop()
    client.disconnect()


def hear(host: RunningHost, device: str, count: int = 1) -> None:
    """Wait until the host knows so many events of a device."""

    def known() -> bool:
        answer = host.client.get(f"{host.url}/api/device", params={"name": device})
        return answer.status_code == 200 and answer.json()["count"] >= count

    wait_until(known, f"{device} was heard of")


def row(device: str) -> str:
    """The script that finds a device's row."""
    return f"[...document.querySelectorAll('tr')].find((row) => row.dataset.device === {json.dumps(device)})"


def test_the_api_tells_devices_with_their_last_value_and_those_of_the_config(
    shared_host: RunningHost, broker: Mosquitto
) -> None:
    send(broker, "测温-1", t=120, pos={"x": 3})
    hear(shared_host, "测温-1")
    client, api = shared_host.client, f"{shared_host.url}/api"
    told = client.get(f"{api}/devices", params={"contains": "测温"}).json()
    (device,) = told["devices"]
    assert (device["state"], device["result"], device["functions"]) == ("online", "ok", ["score"])
    assert json.loads(device["value"]) == {"t": 120, "pos": {"x": 3}}
    whole = client.get(f"{api}/device", params={"name": "测温-1"}).json()
    assert json.loads(whole["lines"][0]["output"]["body"]) == {"score": 1.2}
    fields = [(each["of"], each["path"]) for each in whole["series"]["fields"]]
    assert fields == [("", "t"), ("", "pos.x"), ("score", "score")]
    assert client.get(f"{api}/device", params={"name": "oven-9"}).json()["state"] == "never"
    assert client.get(f"{api}/device", params={"name": "nobody"}).status_code == 404
    assert client.get(f"{api}/devices?sort=colour").status_code == 400


def test_devices_that_gave_way_to_others_are_told_and_counted_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "MOST_DEVICES", 3)
    devices = Devices(clock=Clock())
    source = DevicesSource(devices, Listing(devices, dict))
    source.opened("")
    for number in range(20):
        devices.ended(run_at(BEGIN, device=f"d{number}"))
        told = source.tell("")
        assert told["counts"] == {"online": min(3, number + 1), "offline": 0, "never": 0}
    for number in range(20):
        devices.ended(run_at(BEGIN, device=f"e{number}"))
    assert devices.changed == {"e17", "e18", "e19"}


def test_the_list_is_live_and_names_of_devices_stay_text(
    shared_host: RunningHost, broker: Mosquitto, console: Browser
) -> None:
    send(broker, HOSTILE, t=1)
    send(broker, "press-1", t=7)
    send(broker, "..", t=1)
    send(broker, TURNED, t=1)
    for device in (HOSTILE, "press-1", "..", TURNED):
        hear(shared_host, device)
    go(console, shared_host, "/console/devices")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live")
    assert console.run(f"{row(HOSTILE)}.querySelector('bdi').textContent") == HOSTILE
    assert console.run(f"{row(TURNED)}.querySelector('bdi').textContent") == "press·1"
    console.run(f"{row('..')}.querySelector('a').click()")
    console.wait_for("document.getElementById('device')?.dataset.name === '..'", "its page opens")
    go(console, shared_host, "/console/devices?limit=2&offset=2")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "it is live again")
    shown = console.run(NAMES)
    console.run("window.__marked = document.querySelector('tr[data-device]'), 0")
    console.run("htmx.trigger(document.getElementById('filters'), 'refresh'), 0")
    console.wait_for(
        "!window.__marked.isConnected && location.search.includes('offset=2')", "it is read anew"
    )
    assert console.run(NAMES) == shown, "and it is the same page of the list"
    go(console, shared_host, "/console/devices")
    console.wait_for("document.getElementById('live').dataset.state === 'live'", "all are shown")
    never = f"{row('oven-9')}.querySelector('[data-cell=state]').textContent"
    assert console.run(never) == "Never seen"
    send(broker, "press-1", t=8)
    console.wait_for(f"{row('press-1')}.textContent.includes('\"t\": 8')", "the new value is there")
    send(broker, "newcomer", t=1)
    console.wait_for(row("newcomer"), "a new device is there without a reload")
    search = "document.querySelector('input[name=contains]')"
    console.run(f"{search}.focus()")
    console.type("OVEN")
    console.wait_for(f"{row('oven-9')} && !{row('press-1')}", "the list is filtered")
    console.wait_for("location.search.includes('contains=OVEN')", "and its address says so")
    assert console.complaints == []


def test_a_devices_page_plots_input_and_output_and_fields_are_chosen_in_the_json(
    shared_host: RunningHost, broker: Mosquitto, console: Browser
) -> None:
    name = "press 2%"
    send(broker, name, t=100, h=40, p=7)
    hear(shared_host, name)
    go(console, shared_host, device_link(name))
    chips = "[...document.querySelectorAll('#fields .chip')].map((chip) => chip.textContent).join()"
    console.wait_for(f"{chips} === 't,h,score: score'", "the first numbers are plotted")
    console.wait_for("document.querySelector('#plot canvas')", "the plot is drawn")
    console.run(
        "[...document.querySelectorAll('#value .json-value')].find((b) => b.textContent === '7').click()"
    )
    console.wait_for(f"{chips} === 't,h,score: score,p'", "a number is added by click")
    console.run("document.querySelector('#fields .chip').click()")
    console.wait_for(f"{chips} === 'h,score: score,p'", "and taken away")
    send(broker, name, t=250, h=41, p=8)
    console.wait_for("document.getElementById('value').textContent.includes('250')", "the value is live")
    console.wait_for("document.getElementById('outputs').textContent.includes('2.5')", "the output is live")
    assert console.run("document.querySelector('#strip').getAttribute('aria-label')").startswith("Online")
    go(console, shared_host, device_link(name), "zh-CN")
    console.wait_for("document.body.innerText.includes('通常间隔')", "it speaks Chinese")
    assert console.complaints == []


def test_what_was_known_survives_a_restart(shared_host: RunningHost, broker: Mosquitto) -> None:
    send(broker, "press-3", t=1)
    hear(shared_host, "press-3")
    shared_host.stop()
    shared_host.start()
    told = shared_host.client.get(f"{shared_host.url}/api/device", params={"name": "press-3"}).json()
    assert (told["count"], json.loads(told["value"])) == (1, {"t": 1})
