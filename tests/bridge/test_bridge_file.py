"""Bridge files: what is read from them, and which faults are told all at once."""

from pathlib import Path
from textwrap import dedent

import pytest

from conf.bridge import BridgeConfig, BridgeFile, Connection, id_faults
from conf.bridge_file import load_bridge
from conf.faults import ConfigError

OLD = """
input:
  http_client:
    url: http://127.0.0.1:18080/car
    verb: get
    rate_limit: foobar
output:
  mqtt:
    urls:
    - tcp://192.168.241.1:1883
    topic: /gridsum/test/telm/in/m1
    client_id: 7777
    qos: 0
rate_limit_resources:
- label: foobar
  local:
    count: 1
    interval: 6s
"""


def read(folder: Path, text: str) -> BridgeFile:
    path = folder / "bridge.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_bridge(path, {"PORT": "18080", "HUSH": "hush"})


def faults(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return str(caught.value)


def test_an_old_bridge_file_is_read_as_it_is(tmp_path: Path) -> None:
    file = read(tmp_path, OLD)
    source, target = file.input.http_client, file.output.mqtt
    assert (source.url, source.verb, source.rate_limit) == ("http://127.0.0.1:18080/car", "GET", "foobar")
    assert (target.urls, target.client_id, target.qos) == (("tcp://192.168.241.1:1883",), "7777", 0)
    [rate] = file.rate_limit_resources
    assert (rate.label, rate.local.count, rate.local.interval) == ("foobar", 1, 6.0)


def test_what_may_be_absent_has_its_default(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """
        input: {http_client: {url: "http://127.0.0.1:${env:PORT}/th"}}
        output: {mqtt: {urls: ["mqtt://broker"], topic: in}}
        """,
    )
    assert file.input.http_client.url == "http://127.0.0.1:18080/th"
    assert (file.input.http_client.verb, file.input.http_client.rate_limit) == ("GET", None)
    assert (file.output.mqtt.client_id, file.output.mqtt.qos) == (None, 1)


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    told = faults(
        tmp_path,
        """
        input:
          http_client:
            url: ftp://127.0.0.1/car
            verb: FETCH
            rate_limt: foobar
        output:
          mqtt:
            urls: [http://broker]
            topic: in/#
            qos: 3
        rate_limit_resources:
        - label: foobar
          local: {count: 0, interval: soon}
        """,
    )
    for line, path in {
        4: "input.http_client.url: must be a URL such as",
        5: "input.http_client.verb: must be 'GET' or 'POST'",
        6: "input.http_client.rate_limt: is not a known key (did you mean `rate_limit`?)",
        9: "output.mqtt.urls[0]: must start with one of tcp://",
        10: "output.mqtt.topic: 'in/#' has a wildcard",
        11: "output.mqtt.qos: must be at most 2",
    }.items():
        assert f"line {line}: {path}" in told
    assert "line 14: rate_limit_resources[0].local.count: must be at least 1" in told
    assert "line 14: rate_limit_resources[0].local.interval: 'soon' is not a duration" in told


def test_a_label_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    told = faults(tmp_path, OLD.replace("label: foobar", "label: foobaz"))
    assert "line 6: input.http_client.rate_limit: no rate limit is labelled 'foobar'" in told
    assert "did you mean `foobaz`?" in told
    alone = faults(tmp_path, OLD.partition("rate_limit_resources")[0])
    assert "there is none under `rate_limit_resources`" in alone


def test_a_label_that_is_there_twice_is_told(tmp_path: Path) -> None:
    told = faults(tmp_path, OLD + "- label: foobar\n  local: {count: 2, interval: 1m}\n")
    assert "rate_limit_resources[1].label: 'foobar' is the label of rate_limit_resources[0] already" in told


@pytest.mark.parametrize("text", ["", "[1]", "word"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert "must be a mapping" in faults(tmp_path, text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_bridge(tmp_path / "none.yaml", {})


def test_references_that_cannot_be_had_are_told_and_secrets_are_not(tmp_path: Path) -> None:
    told = faults(
        tmp_path, OLD.replace("http://127.0.0.1:18080", "${env:NONE}").replace("qos: 0", "qos: ${env:HUSH}")
    )
    assert "line 4: input.http_client.url: ${env:NONE}: the environment has no NONE" in told
    assert "output.mqtt.qos: must be a whole number" in told
    assert "hush" not in told


def bridge(name: str, client_id: str | None, url: str) -> BridgeConfig:
    return BridgeConfig.model_validate(
        {
            "name": name,
            "input": {"http_client": {"url": "http://127.0.0.1/x"}},
            "output": {"mqtt": {"urls": [url], "topic": "in", "client_id": client_id}},
        }
    )


def test_a_client_id_that_another_connection_to_the_same_broker_has_is_told() -> None:
    bridges = [
        ("bridges[0].", bridge("a", "one", "tcp://broker")),
        ("bridges[1].", bridge("b", "one", "mqtt://broker:1883")),
        ("bridges[2].", bridge("c", "two", "tcp://broker")),
        ("bridges[3].", bridge("d", "one", "tcp://other")),
        ("bridges[4].", bridge("e", None, "tcp://broker")),
    ]
    taken: dict[Connection, str] = {(("broker", 1883), "two"): "rules[0].sub.clientId"}
    told = [str(fault) for fault in id_faults(bridges, taken)]
    assert [fault.partition(": ")[0] for fault in told] == [
        "bridges[1].output.mqtt.client_id",
        "bridges[2].output.mqtt.client_id",
    ]
    assert "id of bridges[0].output.mqtt.client_id" in told[0] and "id of rules[0]" in told[1]
