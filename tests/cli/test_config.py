"""`fnhost config`: check, convert, schema; and `-c`."""

import json
from pathlib import Path

import pytest

from tests.cli.running import fnhost

MISTAKES = """\
lisen: 127.0.0.1:5888
mqtts:
- name: line1
  broker: http://192.168.1.1
  qos: 3
- name: line1
  broker: tcp://h
  retain: maybe
rules:
- name: telemetry
  sub: {name: line2, clientId: a, topic: in/#/x}
  pub: {name: line1, clientId: b, topic: out/+}
- sub:
    name: line3
    clientId: c
    topic: a
  pub:
    name: line1
    clientId: c
    topic: b
    timeout: soon
  functions: []
funcs:
- modelName: a b
  modelMd5: pZ4DJ+YhYM9ppHD+VhLi+A
  sha256: "12"
- modelname: x
- modelName: y
  timeout: 0s
  python: "3.9"
  requirements: [./local.whl]
  devices:
  - deviceName: d
    deviceAttr:
    - attrValue: d
      attrExpression: == __import__('os')
    - attrValue: d
      attrExpression: in data_to_dic['telemetry']
expose:
- {name: web, outPort: 30000, protocolPort: "http://:9"}
"""
PLANTED = {
    ("lisen", 1),
    ("mqtts[0].broker", 4),
    ("mqtts[0].qos", 5),
    ("mqtts[1].name", 6),
    ("mqtts[1].retain", 8),
    ("rules[0].sub.name", 11),
    ("rules[0].sub.topic", 11),
    ("rules[0].pub.topic", 12),
    ("rules[1].sub.name", 14),
    ("rules[1].pub.timeout", 21),
    ("rules[1].functions", 22),
    ("funcs[0].modelName", 24),
    ("funcs[0].modelMd5", 25),
    ("funcs[0].sha256", 26),
    ("funcs[1].modelName", 27),
    ("funcs[1].modelname", 27),
    ("funcs[2].timeout", 29),
    ("funcs[2].python", 30),
    ("funcs[2].requirements[0]", 31),
    ("funcs[2].devices[0].deviceAttr[0].attrExpression", 36),
    ("funcs[2].devices[0].deviceAttr[1].attrExpression", 38),
    ("expose[0].outPort", 40),
    ("expose[0].protocolPort", 40),
}
OLD = """\
mqtts: [{name: b1, broker: "tcp://192.168.241.1:1883"}]
rules: [{sub: {name: b1, clientid: 5, topic: /in/t}, pub: {name: b1, clientid: 6, timeout: 100, topic: /out}}]
funcs: [{modelName: industry, model_address: "http://h/x.zip", deviceName: 设备3, pointName: OPC温度}]
"""


def problems(output: str) -> set[tuple[str, int]]:
    """The path and line of each problem, read as a person would."""
    parts = [line.split(": ", 3) for line in output.splitlines() if line.startswith("problem: line ")]
    return {(path, int(line.removeprefix("line "))) for _, line, path, _ in parts}


def test_every_planted_mistake_is_named_in_one_go(tmp_path: Path) -> None:
    path = tmp_path / "fnhost.yaml"
    path.write_text(MISTAKES, encoding="utf-8")
    result = fnhost("", "config", "check", str(path))
    assert result.exit_code == 1
    assert len(PLANTED) > 20
    assert problems(result.stdout) == PLANTED
    assert "(did you mean `listen`?)" in result.stdout
    assert "column 4: calls a function" in result.stdout
    assert result.stdout.endswith("fnhost.yaml (generation native): 23 problems, 0 notes\n")


def test_a_good_old_file_has_notes_and_no_problems(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    result = fnhost("", "config", "check", str(tmp_path / "old.yaml"))
    assert result.exit_code == 0
    assert "note: line 2: rules[0].pub.timeout: `timeout` was a bare 100: read as seconds\n" in result.stdout
    assert result.stdout.endswith("old.yaml (generation v2): 0 problems, 6 notes\n")


def test_what_promises_less_than_it_seems_is_a_note(tmp_path: Path) -> None:
    path = tmp_path / "fnhost.yaml"
    path.write_text(
        "mqtts: [{name: b1, broker: 'tcp://h'}]\n"
        "rules:\n- sub: {name: b1, clientId: a, topic: in}\n  pub: {name: b1, clientId: b, topic: out}\n"
        "  order: topic\n  max_age: 5s\n  retry: {attempts: 5}\n"
    )
    result = fnhost("", "config", "check", str(path))
    assert result.exit_code == 0
    first, second, summary = result.stdout.splitlines()
    assert first.startswith("note: line 3: rules[0]: `order` and `retry` hold as far as events come")
    assert second.startswith("note: line 6: rules[0].max_age: an event that waits to be tried again")
    assert summary.endswith("(generation native): 0 problems, 2 notes")


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2", "- x"])
def test_what_cannot_be_read_is_a_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    result = fnhost("", "config", "check", str(tmp_path / "x.yaml"))
    assert result.exit_code == 1
    assert result.stdout.startswith("problem: line ")


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    result = fnhost("", "config", "check", str(tmp_path / "x.yaml"))
    assert (result.exit_code, result.stdout.splitlines()[0]) == (
        1,
        "problem: cannot be read (No such file or directory) (name a file that can be read)",
    )


def test_what_packages_lack_is_named(tmp_path: Path) -> None:
    for name, requirements in (("bare", None), ("told", "x\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.py").write_text("import sklearn, pandas\ndef index(event, context): ...\n")
        if requirements:
            (tmp_path / name / "requirements.txt").write_text(requirements)
    path = tmp_path / "fnhost.yaml"
    path.write_text(
        "requirements: [pandas]\nfuncs:\n- modelName: a\n  package: bare\n- modelName: b\n  package: told\n"
        "- modelName: c\n  package: nowhere\n"
    )
    result = fnhost("", "config", "check", str(path))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == [
        "problem: line 4: funcs[0].package: index.py:1 imports sklearn, which nothing provides"
        " (list scikit-learn under `requirements`, in the config or in the package's requirements.txt)",
        f"problem: line 8: funcs[2].package: there is no {tmp_path / 'nowhere'}",
    ]


def test_what_models_below_the_older_programs_home_lack_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "home" / "models" / "industry"
    model.mkdir(parents=True)
    (model / "index.py").write_text("import numpy\ndef handler(event, context): ...\n")
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    monkeypatch.setenv("PYBOOT_HOME", str(tmp_path / "home"))
    result = fnhost("", "config", "check", str(tmp_path / "old.yaml"))
    assert result.exit_code == 1
    assert result.stdout.startswith("problem: line 3: funcs[0].modelName: index.py:1 imports numpy")


def test_converting_twice_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(OLD, encoding="utf-8")
    once = fnhost("", "config", "convert", str(tmp_path / "old.yaml"))
    (tmp_path / "new.yaml").write_bytes(once.stdout_bytes)
    twice = fnhost("", "config", "convert", str(tmp_path / "new.yaml"))
    assert (once.exit_code, twice.exit_code) == (0, 0)
    assert twice.stdout_bytes == once.stdout_bytes
    assert "# `timeout` was a bare 100: read as seconds\n    timeout: 100s\n" in once.stdout
    assert fnhost("", "config", "check", str(tmp_path / "new.yaml")).exit_code == 0


def test_a_config_with_faults_is_not_converted(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(OLD.replace("/in/t", "/in/#/t"), encoding="utf-8")
    result = fnhost("", "config", "convert", str(tmp_path / "old.yaml"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "line 2: rules[0].sub.topic" in result.stderr


def test_the_schema_is_printed_in_both_forms() -> None:
    native = json.loads(fnhost("", "config", "schema").stdout)
    panel = json.loads(fnhost("", "config", "schema", "--panel").stdout)
    assert native["properties"].keys() >= {"mqtts", "rules", "funcs", "bridges"}
    assert panel["schema"]["properties"]["funcs"]["title"] == "调用模型"


def test_serve_takes_its_config_by_either_name(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("lisen: x\n")
    for option in ("-c", "--config"):
        assert "lisen" in fnhost("", "serve", option, str(tmp_path / "x.yaml")).stderr
