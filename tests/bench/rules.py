"""How long a large config takes to load, and how long one event takes to find its functions in it."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path

from conf.devices import Device
from conf.load import load_config
from conf.matching import Matcher
from tests.bench.caller import timed
from tests.bench.goals import at_most, interval
from tests.bench.part import Part, Run, figures

FUNCTIONS = 500
MATCHED = 1000
REPEATS = 200
LONGEST_LOAD, LONGEST_MATCH = 2000.0, 1.0


@dataclass(frozen=True)
class Rules:
    """Medians in ms; `evaluated` is how many devices one event made the matcher look at."""

    load: float
    match: float
    evaluated: int


def measure_rules(run: Run) -> Part:
    """Load a file of 500 functions with devices on one rule; match one event against 1,000 functions."""
    rules = _measure(run.folder)
    load, match = (
        f"config of {FUNCTIONS} functions on one rule, loaded",
        f"one event against {MATCHED:,} functions",
    )
    goals = (
        at_most(load, interval([rules.load]), LONGEST_LOAD, " ms"),
        at_most(match, interval([rules.match]), LONGEST_MATCH, " ms"),
    )
    return Part(
        "rules", goals, (figures("rules", {"devices looked at for one event": str(rules.evaluated)}),), rules
    )


def _measure(folder: Path) -> Rules:
    file = folder / "large.yaml"
    file.write_text(large_config(FUNCTIONS), encoding="utf-8")
    load = statistics.median(timed(lambda: load_config(file, {})) for _ in range(3))
    matcher = Matcher([(f"f{number}", (_device(number),)) for number in range(MATCHED)])
    event = json.loads(_event(MATCHED // 2))
    assert matcher.match(event) == [(MATCHED // 2, f"设备{MATCHED // 2}")]
    evaluated = matcher.evaluated
    match = statistics.median(timed(lambda: matcher.match(event)) for _ in range(REPEATS))
    return Rules(load, match, evaluated)


def large_config(functions: int) -> str:
    """A native config with one rule and so many functions, each with one device of two attributes."""
    entries = [
        {
            "modelName": f"f{number}",
            "devices": [_device(number).model_dump(by_alias=True, exclude_defaults=True)],
        }
        for number in range(functions)
    ]
    rule = {
        "sub": {"name": "b", "clientId": "1", "topic": "in"},
        "pub": {"name": "b", "clientId": "2", "topic": "out"},
    }
    config = {"mqtts": [{"name": "b", "broker": "tcp://127.0.0.1:1"}], "rules": [rule], "funcs": entries}
    return json.dumps(config, ensure_ascii=False, indent=1)


def _device(number: int) -> Device:
    return Device.model_validate(
        {
            "deviceName": f"设备{number}",
            "deviceAttr": [
                {
                    "attrValue": f"设备{number}",
                    "attrExpression": "== data_to_dict['deviceInfo']['deviceName']",
                },
                {"attrValue": "OPC温度", "attrExpression": "in data_to_dict['telemetry']"},
            ],
        }
    )


def _event(number: int) -> str:
    return json.dumps({"deviceInfo": {"deviceName": f"设备{number}"}, "telemetry": {"OPC温度": 1}})
