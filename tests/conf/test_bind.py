"""Bindings of devices are read as they are meant, and faults are told."""

from pathlib import Path

import pytest

from tests.conf.reading import faults, read

HEAD = """
mqtts: [{name: b1, broker: "tcp://127.0.0.1:1883"}]
funcs: [{modelName: f}]
rules:
- sub: {name: b1, clientId: in, topic: plant/+/telemetry/#}
  pub: {name: b1, clientId: out, topic: out}
"""


def test_a_binding_names_a_level_or_a_property_with_bounds(tmp_path: Path) -> None:
    bind = read(
        tmp_path, HEAD + '  bind: {from: "topic:2", values: {a.b: {type: number, max: 1.5}}}\n'
    ).rules[0].bind  # fmt: skip
    assert bind is not None
    assert (bind.level, bind.property, bind.unnamed, bind.rate) == (2, "", "refuse", None)
    assert (bind.values["a.b"].min, bind.values["a.b"].max) == (None, 1.5)
    told = read(tmp_path, HEAD + "  bind: {from: property:device, rate: {count: 3, interval: 1s}}\n")
    assert told.rules[0].bind is not None
    assert (told.rules[0].bind.level, told.rules[0].bind.property) == (None, "device")
    assert read(tmp_path, HEAD + '  bind: {from: "topic:7"}\n').rules[0].bind is not None


@pytest.mark.parametrize(
    ("bind", "fault"),
    [
        ("{from: device}", "is neither a level of the topic, such as topic:2, nor a user property"),
        ('{from: "topic:0"}', "is neither a level of the topic"),
        ('{from: "topic:1"}', "level 1 of 'plant/+/telemetry/#' is 'plant', the same for every device"),
        (
            '{from: "topic:2", values: {t: {type: text, min: 1}}}',
            "`min` and `max` are for numbers, and its type is text",
        ),
        (
            '{from: "topic:2", values: {t: {type: number, min: 2, max: 1}}}',
            "`min` (2) is more than `max` (1)",
        ),
        ('{from: "topic:2", values: {t: {type: number, min: true}}}', "must be a number"),
        ('{from: "topic:2", rate: {count: 0, interval: 1s}}', "must be at least 1"),
        ("{rate: {count: 1, interval: 1s}}", "from"),
    ],
)
def test_what_a_binding_cannot_be_is_told_with_its_place(tmp_path: Path, bind: str, fault: str) -> None:
    found = faults(tmp_path, f"{HEAD}  bind: {bind}\n")
    assert any(fault in str(each) and path.startswith("rules[0]") for path, each in found.items()), found
