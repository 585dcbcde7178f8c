"""The config file, looked at and changed over the API of a real host."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from conf.faults import ConfigError, Fault
from conf.load import load_config
from conf.models import Config
from conf.settings import Settings, gather_settings
from host.configuring.desk import Desk, LockedError, RefusedError, Wanted
from tests.brokers import Mosquitto
from tests.host.test_reload import connections
from tests.hosts import RunningHost, StartHost, wait_until, zip_of
from tests.mqtt.clients import device, until

CONFIG = """\
# hall 2
log:
  level: info  # as it was
secrets:
  KEY: "geheim-1"
  OTHER: ${env:PLACE}
funcs: []
"""
ECHO = "def index(event, context):\n    return event\n"


def shown(host: RunningHost) -> dict[str, Any]:
    told: dict[str, Any] = host.client.get(f"{host.url}/api/config").json()
    return told


def send(host: RunningHost, verb: str, body: Mapping[str, Any], digest: str | None = None) -> httpx.Response:
    """A change made from the file as it is, or from the one with `digest`; POST only checks it."""
    path = "/api/config" if verb == "PUT" else "/api/config/check"
    match = f'"{shown(host)["digest"] if digest is None else digest}"'
    headers = {"if-match": match, "content-type": "application/json"}
    return host.client.request(verb, host.url + path, content=json.dumps(body), headers=headers)


def config_file(host: RunningHost) -> Path:
    return host.folder / "config.yaml"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = RunningHost(tmp_path_factory.mktemp("desk"), CONFIG, {"PLACE": "hall-2-secret"}).start()
    yield running
    running.close()


def test_the_file_is_shown_with_marks_for_its_secrets(host: RunningHost) -> None:
    answer = host.client.get(f"{host.url}/api/config")
    told = answer.json()
    assert answer.headers["etag"] == f'"{told["digest"]}"'
    assert "geheim" not in answer.text
    assert "hall-2-secret" not in answer.text
    assert told["document"]["secrets"] == {"KEY": "${kept:1}", "OTHER": "${env:PLACE}"}
    assert (told["file"], told["lock"], told["is_applied"]) == (str(config_file(host)), "", True)
    assert "mqtts" in host.client.get(f"{host.url}/api/config/schema").json()["properties"]


def test_a_change_is_checked_and_told_before_anything_is_written(host: RunningHost) -> None:
    document = shown(host)["document"]
    wrong = document | {"lisen": 1, "mqtts": [{"name": "b1", "broker": "nowhere"}]}
    faults = send(host, "POST", {"document": wrong}).json()["faults"]
    assert {fault["path"] for fault in faults} == {"lisen", "mqtts[0].broker"}
    assert "did you mean `listen`?" in [fault["hint"] for fault in faults]
    right = document | {
        "funcs": [{"modelName": "trend"}],
        "listen": "127.0.0.1:1",
        "secrets": document["secrets"] | {"NEW": "geheim-2"},
    }
    told = send(host, "POST", {"document": right}).json()
    assert told["faults"] == []
    assert told["changes"] == [{"section": "funcs", "added": ["trend"], "changed": [], "removed": []}]
    assert (told["restart"], set(told["keys"])) == (["listen"], {"listen", "secrets", "funcs"})
    assert '+  NEW: "***"' in told["diff"]
    assert "-  KEY" not in told["diff"]
    assert config_file(host).read_text() == CONFIG
    for body in ({"text": "# \ud800"}, {"document": {"a": "\ud800"}}):
        assert send(host, "POST", body).json()["faults"]
    broken = send(host, "POST", {"text": "log: [\n"}).json()
    assert (broken["document"], broken["faults"][0]["line"]) == (None, 2)


def test_a_change_is_written_as_it_was_told_and_is_in_force(host: RunningHost) -> None:
    file = config_file(host)
    file.chmod(0o640)
    before = shown(host)
    changed = before["document"] | {"log": {"level": "debug"}}
    answer = send(host, "PUT", {"document": changed})
    assert answer.status_code == 200, answer.text
    assert answer.json()["changes"] == ["log: form or level changed"]
    assert file.read_text() == CONFIG.replace("level: info", "level: debug")
    assert file.stat().st_mode & 0o777 == 0o640
    assert answer.json()["digest"] == shown(host)["digest"] == sha256(file.read_bytes()).hexdigest()
    records = host.client.get(f"{host.url}/api/audit").json()["records"]
    assert [each["target"] for each in records if each["action"] == "config.write"] == [str(file)]
    assert send(host, "PUT", {"document": changed}, before["digest"]).status_code == 409
    assert send(host, "PUT", {"text": CONFIG.replace('"geheim-1"', '"${kept:1}"')}).status_code == 200
    assert file.read_text() == CONFIG


def test_what_is_no_change_of_this_file_is_refused(host: RunningHost) -> None:
    url = f"{host.url}/api/config"
    assert host.client.put(url, json={"document": {}}).status_code == 400
    for body in ({}, {"document": [], "text": "log: {}"}, {"document": {}, "text": ""}):
        assert send(host, "PUT", body).status_code == 400
    refused = send(host, "PUT", {"document": {"log": {"level": "loud"}}})
    assert (refused.status_code, refused.json()["faults"][0]["path"]) == (422, "log.level")
    reading = host.client.post(f"{host.url}/api/tokens", json={"scopes": ["read"]}).json()["token"]
    headers = {"authorization": f"Bearer {reading}", "if-match": '"x"'}
    for verb, path in (("GET", ""), ("PUT", ""), ("GET", "/schema"), ("POST", "/check")):
        assert httpx.request(verb, url + path, headers=headers).status_code == 403
    assert config_file(host).read_text() == CONFIG


def test_a_host_without_a_config_file_begins_one_and_finds_it_again(start_host: StartHost) -> None:
    host = start_host()
    told = shown(host)
    assert (told["exists"], told["named"], told["file"]) == (False, False, str(host.state / "config.yaml"))
    document = {"funcs": [{"modelName": "trend"}], "secrets": {"A": "b"}}
    assert send(host, "PUT", {"document": document}).status_code == 200
    assert (host.state / "config.yaml").stat().st_mode & 0o777 == 0o600
    host.stop()
    host.start()
    assert shown(host)["document"] == {"funcs": [{"modelName": "trend"}], "secrets": {"A": "${kept:1}"}}
    assert [each["name"] for each in host.client.get(f"{host.url}/api/functions").json()["functions"]] == [
        "trend"
    ]


def test_no_event_is_lost_while_a_changed_config_is_applied(
    start_host: StartHost, mosquitto: Mosquitto, tmp_path: Path
) -> None:
    package = tmp_path / "echo.zip"
    package.write_bytes(zip_of({"index.py": ECHO}))
    rule: dict[str, Any] = {
        "sub": {"name": "b1", "clientId": "in", "topic": "in/a"},
        "pub": {"name": "b1", "clientId": "out", "topic": "out/a"},
        "functions": ["echo"],
    }
    config = {
        "mqtts": [{"name": "b1", "broker": mosquitto.url, "qos": 1}],
        "rules": [rule],
        "funcs": [{"modelName": "echo", "package": str(package)}],
    }
    host = start_host(json.dumps(config))
    wait_until(lambda: connections(host) == {"mqtt b1 in", "mqtt b1 out"}, "it is subscribed")

    async def scene() -> None:
        with device(mosquitto) as line:
            await line.listen("out/#")
            for turn in range(3):
                line.say_all("in/a", [b"%d" % number for number in range(turn * 200, turn * 200 + 200)])
                other = {**rule, "sub": {**rule["sub"], "clientId": f"in{turn}", "topic": "in/b"}}
                changed = {**config, "rules": [rule, other]}
                answer = await asyncio.to_thread(send, host, "PUT", {"document": changed})
                assert answer.status_code == 200, answer.text
            await until(lambda: len(line.heard) >= 600, "all are answered")
            assert sorted(map(int, line.payloads())) == list(range(600))

    asyncio.run(scene())


@dataclass
class Refusing:
    """Goes over to nothing; `error` is what it says."""

    started: Settings
    error: Exception
    applied: Config = field(default_factory=Config)
    env: Mapping[str, str] = field(default_factory=dict)
    is_torn: bool = False
    applied_texts: list[str] = field(default_factory=list)

    @property
    def config_path(self) -> Path | None:
        return self.started.config_path

    async def apply(self, path: Path | None = None) -> list[str]:
        assert path is not None
        self.applied_texts.append(await asyncio.to_thread(path.read_text))
        if len(self.applied_texts) == 1:
            self.is_torn = not isinstance(self.error, ConfigError)
            raise self.error
        return []


@pytest.mark.parametrize("error", [ConfigError([Fault("tls.cert", "is gone")]), OSError("no descriptors")])
def test_a_config_that_cannot_be_applied_leaves_the_file_as_it_was(tmp_path: Path, error: Exception) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("log: {level: info}\n")
    reloader = Refusing(gather_settings({"config": str(file), "state": str(tmp_path)}, {}), error)
    desk = Desk(reloader)
    wanted = Wanted(sha256(file.read_bytes()).hexdigest(), text="log: {level: debug}\n")
    with pytest.raises(RefusedError if isinstance(error, ConfigError) else OSError):
        asyncio.run(desk.write(wanted))
    assert file.read_text() == "log: {level: info}\n"
    torn = ["log: {level: info}\n"] if reloader.is_torn else []
    assert reloader.applied_texts == ["log: {level: debug}\n", *torn]
    assert load_config(file, {}).log.level == "info"


def test_a_file_of_an_older_program_is_shown_in_the_native_form_and_stays_as_it_is(tmp_path: Path) -> None:
    old = Path(__file__).parent.parent / "conf" / "old" / "v2.yaml"
    file = tmp_path / "old.yaml"
    file.write_bytes(old.read_bytes())
    desk = Desk(Refusing(gather_settings({"config": str(file), "state": str(tmp_path)}, {}), OSError()))
    told = asyncio.run(desk.show())
    assert (told["generation"], told["lock"]) == ("v2", "generation")
    assert {"mqtts", "rules", "funcs"} <= told["document"].keys()
    assert told["text"].startswith("# Converted from generation 2.")
    with pytest.raises(LockedError):
        asyncio.run(desk.check(Wanted(told["digest"], text="funcs: []\n")))
    with pytest.raises(LockedError):
        asyncio.run(desk.write(Wanted(told["digest"], text="funcs: []\n")))


def test_a_file_that_cannot_be_read_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("log: {level: info}\n")
    desk = Desk(Refusing(gather_settings({"config": str(file), "state": str(tmp_path)}, {}), OSError()))
    file.write_text("password: geheim\nsecrets: [\n")
    told = asyncio.run(desk.show())
    assert (told["text"], told["lock"], "geheim" in str(told)) == (None, "file", False)
    for data in ("log: {level: info}\n".encode("utf-16"), b"\xff\xfe"):
        file.write_bytes(data)
        told = asyncio.run(desk.show())
        assert (told["text"], told["lock"]) == (None, "file")
        with pytest.raises(LockedError):
            asyncio.run(desk.check(Wanted(told["digest"], text="")))
    file.unlink()
    os.mkfifo(file)
    told = asyncio.run(desk.show())
    assert (told["text"], told["lock"], "no plain file" in told["reason"]) == (None, "file", True)
    with pytest.raises(LockedError):
        asyncio.run(desk.write(Wanted(told["digest"], text="")))


def test_a_file_in_a_place_that_takes_none_is_checked_and_not_written(tmp_path: Path) -> None:
    settings = gather_settings({"state": str(tmp_path / "absent")}, {})
    desk = Desk(Refusing(settings, OSError()))
    told = asyncio.run(desk.show())
    assert (told["exists"], told["lock"], "there is no folder" in told["reason"]) == (False, "file", True)
    wanted = Wanted(told["digest"], document={"log": {"level": "debug"}})
    assert asyncio.run(desk.check(wanted))["text"] == "log:\n  level: debug\n"
    with pytest.raises(LockedError):
        asyncio.run(desk.write(wanted))
