"""A host that goes over to another config while events flow."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from conf.models import Config
from host.changes import describe_changes
from tests.brokers import Mosquitto
from tests.hosts import RunningHost, StartHost, wait_until, zip_of
from tests.mqtt.clients import device, until

ECHO = "def index(event, context):\n    return event\n"
PLACE = "import os\ndef index(event, context):\n    return [os.environ.get('PLACE'), os.getpid()]\n"


def config_of(url: str, *rules: str, funcs: str = "") -> str:
    told = "".join(
        f"- {{sub: {{name: b1, clientId: {name}-in, topic: in/{name}}},"
        f" pub: {{name: b1, clientId: {name}-out, topic: out/{name}}}, functions: [echo]}}\n"
        for name in rules
    )
    return f'mqtts: [{{name: b1, broker: "{url}", qos: 1}}]\nrules:\n{told}funcs:\n{funcs}'


def apply(host: RunningHost, text: str) -> list[str]:
    file = host.folder / "other.yaml"
    file.write_text(text, encoding="utf-8")
    answer = host.client.post(f"{host.url}/api/config", json={"path": str(file)})
    assert answer.status_code == 200, answer.text
    changes: list[str] = answer.json()["changes"]
    return changes


def connections(host: RunningHost) -> set[str]:
    checks = host.client.get(f"{host.url}/readyz").json()["checks"]
    return {check["name"] for check in checks if check["name"].startswith("mqtt") and check["ok"]}


def test_rules_come_and_go_without_an_event_of_those_that_stay_being_lost(
    start_host: StartHost, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    package = tmp_path / "echo.zip"
    package.write_bytes(zip_of({"index.py": ECHO}))
    funcs = f"- {{modelName: echo, package: {package}}}\n"
    host = start_host(config_of(mosquitto.url, "a", funcs=funcs))
    wait_until(lambda: connections(host) == {"mqtt b1 a-in", "mqtt b1 a-out"}, "it is subscribed")

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("out/#")
            sent = 0
            for rules in (("a", "b"), ("a",), ("a", "c")):
                line.say_all("in/a", [b"%d" % number for number in range(sent, sent + 100)])
                sent += 100
                changes = await asyncio.to_thread(apply, host, config_of(mosquitto.url, *rules, funcs=funcs))
                assert any(change.startswith("rules: ") for change in changes)
            await until(lambda: len(line.heard) >= sent, "every event is answered")
            assert sorted(int(payload) for payload in line.payloads()) == list(range(sent))
            wanted = {f"mqtt b1 {name}" for name in ("a-in", "a-out", "c-in", "c-out")}
            await until(lambda: connections(host) == wanted, "the new rule is subscribed")
            line.say("in/c", b'"new"')
            await until(lambda: line.heard[-1].topic == "out/c", "it answers")

    asyncio.run(scene())


def test_a_function_runs_with_its_new_settings_and_no_other_notices(start_host: StartHost) -> None:
    host = start_host("funcs:\n- {modelName: placed, env: {PLACE: 一厂}}\n- {modelName: other}\n")
    host.deploy({"index.py": PLACE}, "placed")
    host.deploy({"index.py": PLACE}, "other")
    assert host.invoke("placed", b"{}").json()[0] == "一厂"
    other = host.invoke("other", b"{}").json()
    changes = apply(host, "funcs:\n- {modelName: placed, env: {PLACE: 三厂}}\n- {modelName: other}\n")
    assert changes == ["funcs: 1 changed"]
    assert host.invoke("placed", b"{}").json()[0] == "三厂"
    assert host.invoke("other", b"{}").json() == other
    assert host.describe("placed")["revision"] == 1


def test_sighup_reads_the_hosts_own_file_again(start_host: StartHost, tmp_path: Path) -> None:
    host = start_host("funcs: []\n")
    package = tmp_path / "echo.zip"
    package.write_bytes(zip_of({"index.py": ECHO}))
    (host.folder / "config.yaml").write_text(f"funcs: [{{modelName: echo, package: {package}}}]\n")
    os.kill(host.process.pid, signal.SIGHUP)
    wait_until(lambda: host.invoke("echo", {"t": 1}).status_code == 200, "the function is deployed")
    wait_until(lambda: "funcs: 1 added" in host.log(), "the change is told")


def test_a_config_with_an_error_changes_nothing_and_tells_all_of_them(start_host: StartHost) -> None:
    host = start_host("funcs: [{modelName: placed, env: {PLACE: x}}]\n")
    host.deploy({"index.py": PLACE}, "placed")
    before = host.invoke("placed", b"{}").json()
    file = host.folder / "bad.yaml"
    file.write_text("funcs: [{modelNam: placed}]\nrules: [{sub: {name: b9, clientId: 1, topic: t}}]\n")
    answer = host.client.post(f"{host.url}/api/config", json={"path": str(file)})
    assert answer.status_code == 422
    assert "modelNam" in answer.json()["detail"]
    assert "b9" in answer.json()["detail"]
    os.mkfifo(host.folder / "pipe")
    answer = host.client.post(f"{host.url}/api/config", json={"path": str(host.folder / "pipe")})
    assert answer.status_code == 422 and answer.json()["detail"].endswith(
        "pipe: is no plain file (name one that is)"
    )
    file.write_text("root:$6$hidden:19000\n")
    answer = host.client.post(f"{host.url}/api/config", json={"path": str(file)})
    assert answer.status_code == 422 and "bad.yaml: line 1: is no config; " in answer.json()["detail"]
    assert "hidden" not in answer.text
    assert host.invoke("placed", b"{}").json() == before
    (host.folder / "config.yaml").write_text("funcs: {")
    os.kill(host.process.pid, signal.SIGHUP)
    wait_until(lambda: "nothing has changed" in host.log(), "the fault is told")
    assert host.invoke("placed", b"{}").json() == before


def test_what_needs_a_restart_is_said(start_host: StartHost) -> None:
    host = start_host("funcs: []\n")
    (change,) = apply(host, "listen: 127.0.0.1:5999\nfuncs: []\n")
    assert "`listen`" in change
    assert "started again" in change


def test_a_rate_limit_and_a_body_limit_change_at_once(start_host: StartHost) -> None:
    host = start_host("funcs: [{modelName: echo}]\n")
    host.deploy({"index.py": ECHO}, "echo")
    assert {host.invoke("echo", b"1").status_code for _ in range(5)} == {200}
    limited = "funcs: [{modelName: echo, rate: {label: r, local: {count: 1, interval: 600s}}}]\n"
    apply(host, limited + "limits: {max_body: 10}\n")
    assert [host.invoke("echo", b"1").status_code for _ in range(2)] == [200, 429]
    assert host.invoke("echo", b" " * 20).status_code == 413
    apply(host, "funcs: [{modelName: echo}]\n")
    assert {host.invoke("echo", b"1").status_code for _ in range(5)} == {200}


TIMER = {"name": "t", "every": "1s"}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({}, {"timers": [TIMER]}, "timers: 1 added"),
        ({"timers": [TIMER]}, {"timers": [TIMER | {"every": "2s"}]}, "timers: 1 changed"),
        ({"timers": [TIMER]}, {"timers": [TIMER | {"name": "u"}]}, "timers: 1 added, 1 removed"),
        ({"limits": {"max_body": 1}}, {"limits": {"max_body": 2}}, "limits: max_body changed"),
        (
            {"limits": {"delivery": "1MiB"}},
            {"limits": {"delivery": "2MiB"}},
            "`limits.delivery` is changed, which takes effect when the host is started again",
        ),
        (
            {},
            {"limits": {"memory": "2GiB"}},
            "`limits.memory` is changed, which takes effect when the host is started again",
        ),
        (
            {"funcs": [{"modelName": "a"}]},
            {"funcs": [{"modelName": "a", "retry": {"attempts": 1}}]},
            "funcs: 1 changed",
        ),
        ({"timers": [TIMER]}, {"timers": [TIMER]}, "nothing is changed"),
    ],
)
def test_each_section_that_differs_is_told(
    before: dict[str, object], after: dict[str, object], told: str
) -> None:
    assert list(describe_changes(Config.model_validate(before), Config.model_validate(after))) == [told]


def test_an_exposed_http_port_answers_on_loopback_with_a_warning(start_host: StartHost) -> None:
    host = start_host(
        "expose:\n"
        "- {name: monitor, outPort: 38080, protocolPort: 'http://:8080'}\n"
        "- {name: other, outPort: 38081, protocolPort: 'tcp://:2901'}\n"
    )
    assert "8080" in host.log()
    if "cannot be had" not in host.log():
        assert host.client.get("http://127.0.0.1:8080/livez").status_code == 200
        assert "on loopback only" in host.log()
