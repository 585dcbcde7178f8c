"""Old config files: told apart by shape, and translated whole."""

from pathlib import Path
from typing import Any

import pytest

from conf.convert import convert_config
from conf.document import read_document
from conf.load import Examination, examine_config, read_config
from tests.conf.old_trees import MD5, TREES
from tests.conf.reading import faults, read

OLD = Path(__file__).parent / "old"
GENERATIONS = {"v1": "v1", "v15": "v1.5", "v2": "v2", "v21": "v2.1", "v3": "v3"}


def examined(folder: Path, text: str) -> Examination:
    path = folder / "old.yaml"
    path.write_text(text, encoding="utf-8")
    return examine_config(path, {})


@pytest.mark.parametrize("name", GENERATIONS)
def test_a_file_is_recognised_and_translated_whole(name: str) -> None:
    found = examine_config(OLD / f"{name}.yaml", {})
    assert (found.generation, found.faults) == (GENERATIONS[name], ())
    assert found.tree == TREES[name]


@pytest.mark.parametrize("name", GENERATIONS)
def test_the_converted_file_means_the_same_and_stays_as_it_is(name: str, tmp_path: Path) -> None:
    converted = convert_config(OLD / f"{name}.yaml", {})
    path = tmp_path / "native.yaml"
    path.write_bytes(converted)
    assert read_document(converted).value == TREES[name]
    assert read_config(path, {}).generation == "native"
    assert convert_config(path, {}) == converted
    old = read_config(OLD / f"{name}.yaml", {}).config
    assert _without_folders(read_config(path, {}).config) == _without_folders(old)


def _without_folders(config: Any) -> dict[str, Any]:
    told: dict[str, Any] = config.model_dump(mode="json")
    for func in told["funcs"]:
        func["python_path"] = len(func["python_path"])
    return told


@pytest.mark.parametrize("name", GENERATIONS)
def test_each_assumption_is_a_comment_where_it_was_made(name: str) -> None:
    found = examine_config(OLD / f"{name}.yaml", {})
    text = convert_config(OLD / f"{name}.yaml", {}).decode()
    assert found.notes
    for note in found.notes:
        assert f"# {note.sentence}\n" in text


def test_notes_tell_the_path_and_line_of_the_old_file() -> None:
    notes = {note.path: (note.line, note.sentence) for note in examine_config(OLD / "v2.yaml", {}).notes}
    assert notes["mqtts[0].qos"] == (2, "`qos` was absent, which means 0")
    assert notes["rules[1].sub.clientid"] == (
        11,
        "'5555' is the id of another connection: 5555-2 instead",
    )
    assert notes["funcs[2]"][0] == 24
    assert "takes every event" in notes["funcs[2]"][1]
    assert "all 2 attributes must hold" in notes["funcs[1].deviceName"][1]


def test_a_malformed_digest_stops_only_its_function() -> None:
    reading = read_config(OLD / "v2.yaml", {})
    (name,) = reading.stopped
    fault = reading.stopped[name]
    assert (name, fault.path, fault.line) == (
        "TYPE_TREND_WARNING1644570851718",
        "funcs[2].model_md5",
        25,
    )
    assert len(reading.config.funcs) == 2


@pytest.mark.parametrize(
    "digest", ["pZ4DJ+YhYM9ppHD+VhLi+B==", "pZ4DJ+YhYM9ppHD+VhLi", "zz", "4" * 32, MD5 + "\\n"]
)
def test_a_digest_is_read_strictly(tmp_path: Path, digest: str) -> None:
    found = examined(tmp_path, f'funcs: [{{modelName: a, modelMd5: "{digest}"}}, {{modelName: b}}]')
    assert (found.faults, list(found.stopped)) == ((), ["a"])


RULES = """
mqtts: [{name: b, broker: "tcp://h"}, {name: c, broker: "tcp://h:1883"}]
rules:
- {sub: {name: b, clientId: 1, topic: a}, pub: {name: b, clientId: 2, topic: x}}
- {sub: {name: c, clientId: 1, topic: b}, pub: {name: c, clientId: 1, topic: y}}
- {sub: {name: c, clientId: 1-2, topic: b}, pub: {name: b, clientId: 1, topic: z}}
"""


def test_each_connection_gets_an_id_of_its_own(tmp_path: Path) -> None:
    rules = read(tmp_path, RULES + "funcs: [{modelName: m}]").rules
    assert [rule.sub.client_id for rule in rules] == ["1", "1-2", "1-2-2"]
    assert [rule.pub.client_id for rule in rules] == ["2", "1-3", "1-3"]


def test_an_id_used_twice_stays_a_fault_in_the_native_form(tmp_path: Path) -> None:
    found = faults(tmp_path, RULES + "funcs: [{modelName: m}]\nlisten: 127.0.0.1:1")
    assert set(found) == {"rules[1].sub.clientId", "rules[1].pub.clientId", "rules[2].pub.clientId"}


@pytest.mark.parametrize(
    ("timeout", "seconds"), [("10s", 10), ("100", 100), ('"100"', 100), ("0", 10), ("500ms", 0.5), ("", 10)]
)
def test_a_timeout_is_read_in_all_its_forms(tmp_path: Path, timeout: str, seconds: float) -> None:
    text = f"""
mqtts: [{{name: b, broker: "websockets://h:9001"}}]
rules:
- sub: {{name: b, clientId: 1, topic: a}}
  pub:
    timeout:
      {timeout}
    name: b
    clientId: 2
    topic: x
funcs: [{{modelName: m}}]
"""
    assert read(tmp_path, text).rules[0].pub.timeout == seconds


EDGE = "edge_mode: m.f, pre_broker: h, pre_topic: a, post_broker: h, post_topic: b"


def test_brokers_of_one_address_are_one_unless_their_quality_differs(tmp_path: Path) -> None:
    config = read(tmp_path, f"edge: [{{name: a, pre_qos: 0, {EDGE}}}, {{name: b, pre_qos: 1, {EDGE}}}]")
    assert [(broker.name, broker.qos) for broker in config.mqtts] == [("h:1883", 0), ("h:1883-qos1", 1)]
    assert [rule.sub.name for rule in config.rules] == ["h:1883", "h:1883-qos1"]
    assert [rule.pub.name for rule in config.rules] == ["h:1883", "h:1883"]


@pytest.mark.parametrize(("told", "number"), [("instance: 3, ", 3), ("instance: 1, ", 1), ("", 1)])
def test_as_many_instances_are_kept_as_there_were_processes(tmp_path: Path, told: str, number: int) -> None:
    scale = read(tmp_path, f"edge: [{{name: a, {told}{EDGE}}}]").funcs[0].scale
    assert scale is not None
    assert (scale.min, scale.max) == (number, number)


def test_the_folder_of_the_code_may_be_named_once_for_all(tmp_path: Path) -> None:
    text = f"pythonPath: [code]\nedge: [{{name: a, {EDGE}}}]"
    assert read(tmp_path, text).funcs[0].python_path == (tmp_path / "code",)


def test_two_entries_of_one_model_that_differ_are_refused(tmp_path: Path) -> None:
    text = """
        funcs:
        - {modelName: m, model_address: x, deviceName: d}
        - {modelName: m, model_address: y, deviceName: e}
        """
    assert list(faults(tmp_path, text)) == ["funcs[1].modelName"]


@pytest.mark.parametrize(
    ("text", "generation"),
    [
        ("", "native"),
        ("mqtts: []\nrules: []", "native"),
        ("funcs: [{modelName: m}]", "v3"),
        ("funcs: [{modelName: m, package: x}]", "native"),
        ("funcs: [{modelName: m}]\nstate: x", "native"),
        ("funcs: [{modelName: m, deviceName: d}]", "v2"),
        ("funcs: [{modelName: m, pointName: d}]", "v2"),
        ("funcs: [{modelName: m, devices: [{deviceName: d, pointName: p}]}]", "v2.1"),
    ],
)
def test_generations_are_told_by_shape(tmp_path: Path, text: str, generation: str) -> None:
    assert examined(tmp_path, text).generation == generation
