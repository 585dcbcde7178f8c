"""The native config: what it takes."""

import os
from pathlib import Path

import pytest

from conf.faults import ConfigError
from conf.load import load_config
from tests.conf.reading import faults, read

GENERATION_3 = """
    expose: [{desc: monitor the container, name: monitor, outPort: 38080, protocolPort: "http://:8080"}]
    funcs:
    - modelName: industry
      modelAddress: http://10.200.60.18:9000/group1/M00/49/04/Csg8EmGd.zip
      modelMd5: pZ4DJ+YhYM9ppHD+VhLi+A==
      devices: []
    mqtts: [{broker: "tcp://192.168.241.1:1883", name: mosquitto-2033, retain: false}]
    rules:
    - pub: {clientId: 6666, name: mosquitto-2033, timeout: 100, topic: cloud/out}
      sub: {clientId: 5555, name: mosquitto-2033, topic: cloud/设备2}
    """


def test_the_older_programs_newest_format_is_read(tmp_path: Path) -> None:
    config = read(tmp_path, GENERATION_3)
    (broker,), (rule,), (func,), (port,) = config.mqtts, config.rules, config.funcs, config.expose
    assert (broker.qos, broker.retain, broker.version, broker.endpoint) == (
        0,
        False,
        "auto",
        ("192.168.241.1", 1883),
    )
    assert (rule.sub.client_id, rule.pub.client_id, rule.pub.timeout) == ("5555", "6666", 100)
    assert (rule.functions, rule.retained, rule.sub.topic) == (None, False, "cloud/设备2")
    assert (func.model_name, func.model_md5) == ("industry", "pZ4DJ+YhYM9ppHD+VhLi+A==")
    assert (port.out_port, port.protocol_port) == (38080, "http://:8080")


def test_an_empty_file_is_a_config_of_defaults(tmp_path: Path) -> None:
    config = read(tmp_path, "")
    assert (str(config.listen), config.state, config.allow_anonymous) == ("127.0.0.1:5888", None, False)
    assert config.limits.max_body == 6 * 1024 * 1024


def test_a_section_with_all_its_entries_commented_out_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "rules:\n# - name: x\nmqtts:\n").rules == ()


def test_an_absent_timeout_of_a_publication_is_ten_seconds(tmp_path: Path) -> None:
    assert read(tmp_path, GENERATION_3.replace("timeout: 100, ", "")).rules[0].pub.timeout == 10


def test_overrides_of_a_function_are_read_in_seconds_and_bytes(tmp_path: Path) -> None:
    text = "funcs: [{modelName: 0123, scale: {max: 3}, timeout: 500ms, memory: 1GiB, env: {N: 3}, queue: 5}]"
    func = read(tmp_path, text).funcs[0]
    assert (func.model_name, func.timeout, func.memory, func.queue) == ("0123", 0.5, 2**30, 5)
    assert func.env == {"N": "3"}
    assert func.scale is not None
    assert (func.scale.min, func.scale.max) == (None, 3)


def test_scale_and_batch_of_a_function_are_read_in_seconds(tmp_path: Path) -> None:
    text = "funcs: [{modelName: a, scale: {idle: 5m, target: 0.5}, batch: {max_size: 8, max_wait: 20ms}}]"
    func = read(tmp_path, text).funcs[0]
    assert func.scale is not None
    assert func.batch is not None
    assert func.scale.model_dump(exclude_none=True) == {"idle": 300.0, "target": 0.5}
    assert (func.batch.max_size, func.batch.max_wait) == (8, 0.02)
    assert read(tmp_path, "limits: {memory: 2GiB}").limits.memory == 2 * 1024**3
    assert read(tmp_path, "").limits.memory is None


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    text = """
        state: kept
        funcs: [{modelName: a, package: models/a.zip}, {modelName: b, package: /b.zip}]
        mqtts: [{name: x, broker: "ssl://h", tls: {ca: ca.pem}}]
        """
    config = read(tmp_path, text)
    assert config.state == tmp_path / "kept"
    assert [func.package for func in config.funcs] == [tmp_path / "models/a.zip", Path("/b.zip")]
    assert config.mqtts[0].tls is not None
    assert config.mqtts[0].tls.ca == tmp_path / "ca.pem"


@pytest.mark.parametrize("scheme", ["tcp", "mqtt", "ssl", "mqtts", "ws", "wss", "websockets"])
def test_every_scheme_of_a_broker_is_taken(tmp_path: Path, scheme: str) -> None:
    broker = read(tmp_path, f'mqtts: [{{name: 1, broker: "{scheme}://host:99", version: 5}}]').mqtts[0]
    assert (broker.endpoint, broker.version) == (("host", 99), "5")


def test_one_publishing_connection_may_serve_two_rules(tmp_path: Path) -> None:
    text = """
        mqtts: [{name: b, broker: "tcp://h"}]
        rules:
        - {sub: {name: b, clientId: 1, topic: in/1}, pub: {name: b, clientId: 9, topic: out/1}}
        - {sub: {name: b, clientId: 2, topic: in/2}, pub: {name: b, clientId: 9, topic: out/2}}
        """
    assert len(read(tmp_path, text).rules) == 2


def test_references_stand_for_what_the_environment_and_files_hold(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    text = """
        mqtts: [{name: b, broker: "tcp://${env:HOST}:${env:PORT}", username: "u-${env:HOST}",
                 qos: "${env:QOS}", password: "${file:secret}"}]
        """
    broker = read(tmp_path, text, {"HOST": "edge", "PORT": "99", "QOS": "1"}).mqtts[0]
    assert (broker.endpoint, broker.username, broker.qos) == (("edge", 99), "u-edge", 1)
    assert broker.password is not None
    assert broker.password.get_secret_value() == "hush"


def test_secrets_are_not_in_the_printed_config(tmp_path: Path) -> None:
    text = """
        mqtts: [{name: b, broker: "tcp://h", password: "${env:S}"}]
        funcs: [{modelName: a, env: {KEY: "${env:S}"}}]
        """
    assert "hush" not in repr(read(tmp_path, text, {"S": "hush"}))


def test_a_secret_is_not_repeated_in_a_fault(tmp_path: Path) -> None:
    text = """
        mqtts: [{name: b, broker: "${env:S}"}]
        rules:
        - {sub: {name: "${env:S}", clientId: 1, topic: "${env:S}"}, pub: {name: b, clientId: 2, topic: x}}
        funcs: [{modelName: a, timeout: "${env:S}"}]
        """
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, {"S": "hush'#\n"})
    assert len(caught.value.faults) == 4
    assert "hush" not in str(caught.value)
    assert "${env:S}" in str(caught.value)


@pytest.mark.parametrize(
    "reference",
    ["${env:NO}", "${file:no}", "${file:.}", "${vault:x}", "${file:binary}", "${file:large}", "${file:pipe}"],
)
def test_a_reference_to_nothing_is_a_fault_told_once(tmp_path: Path, reference: str) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    os.mkfifo(tmp_path / "pipe")
    found = faults(tmp_path, f"mqtts:\n- name: b\n  broker: '{reference}'")
    assert list(found) == ["mqtts[0].broker"]
    assert reference in found["mqtts[0].broker"].message
    assert found["mqtts[0].broker"].line == 3


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read \(No such file"):
        load_config(tmp_path / "nowhere.yaml", {})


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("root:$6$hidden:19000\n", [1]),
        ("hidden: 1\nhidden: 2\n", [2]),
        ("hidden: 1\nmore: 2\n", [1, 2]),
        ("- hidden\n", [1]),
        ("a: [\n'hidden\n", [3]),
        ("funcs: 1\nshown: 2\n", None),
    ],
)
def test_of_a_file_that_is_no_config_those_afar_are_told_only_where_it_fails(
    tmp_path: Path, text: str, lines: list[int] | None
) -> None:
    file = tmp_path / "shadow"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(file, {})
    told = raised.value.told_afar()
    if lines is None:
        assert "shown" in str(told)
    else:
        assert [fault.line for fault in told.faults] == lines and "hidden" not in str(told)
