"""Runs the benchmark: `python -m tests.bench [--quick] [--json FILE] [--markdown]`."""

import argparse
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.bench import machine, mqtt
from tests.bench.load import MISSING, Series, find_wrk, measure
from tests.bench.memory import measure_growth, measure_idle
from tests.bench.peers import Environment, build_environment, running_peers
from tests.bench.plan import FULL, QUICK, Plan
from tests.bench.report import json_report, text_report, write_markdown
from tests.bench.result import Result
from tests.bench.rules import measure_rules
from tests.bench.starts import measure_starts
from tests.bench.targets import deploy_targets, running_host
from tests.hosts import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    plan: Plan
    json_file: Path | None
    markdown: bool


def main() -> int:
    """Measure, and print the report; 0 also when a goal is missed, 2 when the tools are not there."""
    options = _read_options()
    if missing := _missing_tools():
        say(missing)
        return 2
    # Told to stop, it must leave through the `finally`s that end what it has started.
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        result = _measure_all(options.plan, Path(folder))
    sys.stdout.write(text_report(result))
    if options.json_file is not None:
        options.json_file.write_text(json_report(result), encoding="utf-8")
    if options.markdown:
        write_markdown(result, PAGE)
    return 0


def say(text: str) -> None:
    """Tell on stderr how far it is; stdout has the report alone."""
    print(text, file=sys.stderr, flush=True)


def _missing_tools() -> str:
    told = (MISSING if find_wrk() is None else "", mqtt.MISSING if mqtt.find_mosquitto() is None else "")
    return "\n".join(filter(None, told))


def _read_options() -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description="Measure fnhost and its peers."
    )
    parser.add_argument("--quick", action="store_true", help="few and short shots: shows that it works")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    parser.add_argument("--markdown", action="store_true", help=f"put the report into {PAGE.name}")
    told = parser.parse_args()
    return Options(QUICK if told.quick else FULL, told.json, told.markdown)


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _measure_all(plan: Plan, folder: Path) -> Result:
    say("installing functions-framework")
    environment = build_environment()
    head = machine.describe(environment, plan)
    say("memory of an idle host")
    idle = measure_idle(folder / "idle")
    say("starts")
    starts = measure_starts(folder / "starts", plan)
    say("memory of a second instance")
    growth = measure_growth(folder / "growth", plan)
    say("rules")
    rules = measure_rules(folder / "rules")
    series = _measure_load(plan, environment, folder)
    flows = mqtt.measure_mqtt(folder / "mqtt", plan, say)
    return Result(head, plan, series, idle, growth, starts, rules, flows)


def _measure_load(plan: Plan, environment: Environment, folder: Path) -> list[Series]:
    with running_host(folder / "load") as host, running_peers(environment, folder) as peers:
        return measure([*deploy_targets(host), *peers], plan, folder, say)


if __name__ == "__main__":
    sys.exit(main())
