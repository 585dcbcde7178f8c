"""A short run of the benchmark: its report comes out whole. What the figures are is not judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.bench import inline, mqtt
from tests.bench.goals import at_least, at_most, interval, paired, percentile, tail_at_most, unmeasured
from tests.bench.inline import FRAMEWORK, RAW, STARLETTE, THREAD
from tests.bench.mqtt import PAHO, Flow, Flows
from tests.bench.ours import ONE, TWO
from tests.bench.part import Part, Run, UnmeasuredError, find_tool
from tests.bench.plan import LATENCY_CELL, LOAD_CELLS, QUICK, Cell, bodies
from tests.bench.report import BEGIN, END, Result, write_markdown
from tests.bench.sections import SECTIONS, Section, measure_section
from tests.bench.shots import COLUMNS, Series, Shot, shots_table, turned
from tests.hosts import ROOT

SHORT = ("starts", "load", "mqtt")
"""The sections that take every kind of shot; the others would start more hosts for the same."""


def shots(*rates: float) -> tuple[Shot, ...]:
    return tuple(Shot(rate, 0.3, 0.9, 0, 200.0, 100.0) for rate in rates)


def series(target: str, *rates: float, cell: Cell = LOAD_CELLS[0]) -> Series:
    return Series(cell, target, shots(*rates))


def result(*parts: Part) -> Result:
    return Result({"date": "today"}, QUICK, parts)


def test_the_bodies_have_the_sizes_that_the_figures_name() -> None:
    assert {name: len(body) for name, body in bodies().items()} == {"A": 17, "B": 2048}


def test_a_ratio_is_the_median_of_the_rounds_own_ratios_and_shows_their_extremes() -> None:
    # The medians alone would give 4000 / 1000; round by round it is 4, 6 and 5, and a slow round hits both.
    ratio = paired((4000, 6000, 500), (1000, 1000, 100))
    assert (ratio.median, ratio.least, ratio.greatest) == (5.0, 4.0, 6.0)
    assert str(ratio) == "5 (4 to 6)"


def test_a_goal_is_met_when_the_interval_reaches_it() -> None:
    told = interval([0.9, 1.0, 1.2])
    assert [at_least("more", told, least).met for least in (1.2, 1.3)] == [True, False]
    assert [at_most("less", told, most, " s").met for most in (0.9, 0.8)] == [True, False]
    assert str(at_least("more", told, 1.3)) == "goal more ≥ 1.3×: MISSED (1 (0.9 to 1.2)×)"


def test_a_tail_is_judged_by_its_ninety_ninth_percentile() -> None:
    times = [*range(1, 100), 1000]
    assert percentile(times, 99) == 99 and percentile(times[:40], 99) == 40
    assert tail_at_most("soon", times, 99, " ms").met and not tail_at_most("soon", times, 98, " ms").met


def test_the_rounds_begin_with_another_target_and_turn_their_order() -> None:
    assert [turned("abc", number) for number in range(3)] == [list("abc"), list("acb"), list("cab")]


def test_each_goal_of_the_load_says_whether_it_is_met() -> None:
    found = [series(ONE, 4500, 5000, 4000), series(ONE, 3000, cell=LATENCY_CELL)]
    found += [series(STARLETTE, 4000, 5000, 5000), series(RAW, 9000, 9000, 9000)]
    found += [series(RAW, 9000, cell=LATENCY_CELL)]
    told = {goal.text: goal for goal in inline.goals(found, {FRAMEWORK: "left out: no index"})}
    assert told[f"req/s over {STARLETTE}, body A, 16 connections ≥ 1.4×"].met is False
    assert told[f"req/s over {RAW}, body A, 16 connections ≥ 0.65×"].met is False
    assert told[f"p50 over that of {RAW}, body A, 1 connection ≤ 2×"].met is True
    missing = told[f"req/s over {FRAMEWORK}, body A, 16 connections"]
    assert (missing.met, missing.value) == (None, "left out: no index")


def test_mqtt_compares_a_hundred_in_flight_with_the_thousand_of_paho() -> None:
    rates = {(mqtt.NARROW, ONE): 900, (mqtt.WIDE, PAHO): 1000, (mqtt.PACED, ONE): 1000}
    told = mqtt.goals(Flows(tuple(Flow(*key, shots(rate)) for key, rate in rates.items()), commits=None))
    assert [goal.met for goal in told] == [True, True, None]
    assert told[0].value == "0.9×" and told[2].value == "the host does not tell"


@pytest.mark.parametrize("kind", [UnmeasuredError, AssertionError, OSError])
def test_a_section_that_cannot_be_measured_says_why_and_the_run_goes_on(
    kind: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run: Run) -> Part:
        raise kind("no forest")

    monkeypatch.setitem(SECTIONS, "batch", Section("batches", refuse))
    part = measure_section("batch", Run(QUICK, tmp_path, {}, lambda text: None))
    assert [(goal.text, goal.met) for goal in part.goals] == [("batches", None)]
    assert "no forest" in part.goals[0].value


def test_an_unknown_section_is_refused_by_name() -> None:
    ran = run_bench("--only", "load,speed")
    assert ran.returncode == 2 and "there is no section 'speed'; there are memory, starts" in ran.stderr


def test_the_report_replaces_what_stands_between_the_marks_of_its_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nstale\n{END}\nafter\n", encoding="utf-8")
    goals = (unmeasured("batches", "no forest"),)
    write_markdown(result(Part("load", goals, (shots_table([series(ONE, 4500, 5000, 4000)]),))), page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{BEGIN}\n\n| goal |") and text.endswith(f"{END}\nafter\n")
    assert "stale" not in text and "| batches | no forest | not measured |" in text
    assert "| A | 16 | fnhost, 1 instance | 4,500 | 22% |" in text


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a page\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no place for the report"):
        write_markdown(result(), page)
    assert page.read_text(encoding="utf-8") == "a page\n"


def test_a_short_run_prints_the_whole_report_and_leaves_no_process(tmp_path: Path) -> None:
    if missing := [name for name in ("wrk", "mosquitto") if find_tool(name) is None]:
        pytest.skip(f"{missing[0]} is not installed")
    file, mark = tmp_path / "result.json", str(tmp_path)
    ran = run_bench("--quick", "--only", ",".join(SHORT), "--json", str(file), env={"TMPDIR": mark})
    assert ran.returncode == 0, ran.stderr
    told = json.loads(file.read_text(encoding="utf-8"))
    check_goals(ran.stdout, told)
    check_table(ran.stdout, told)
    assert not list(tmp_path.glob("bench-*"))
    assert not [each for each in psutil.process_iter(["cmdline", "cwd"]) if mark in str(each.info)]


def run_bench(*arguments: str, env: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.bench", *arguments]
    environ = {**os.environ, **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environ)


def check_goals(text: str, told: dict[str, Any]) -> None:
    lines = text.splitlines()
    assert lines[0].split() == ["goal", "measured", "verdict"]
    for line, goal in zip(lines[1:], told["goals"], strict=False):
        assert line.startswith(goal["text"]) and goal["value"] in line
    assert tuple(told["measured"]) == SHORT
    assert all(told["measured"].values()), [goal for goal in told["goals"] if goal["met"] is None]


def check_table(text: str, told: dict[str, Any]) -> None:
    lines = text.splitlines()
    found = told["measured"]["load"]
    framework = set() if "left out" in told["head"][FRAMEWORK] else {FRAMEWORK}
    servers = {ONE, TWO, STARLETTE, THREAD, RAW} | framework
    assert {each["target"] for each in found} == servers
    assert len(found) == len(QUICK.cells) * len(servers)
    begins = [number for number, line in enumerate(lines) if line.startswith(COLUMNS[0])]
    for row, each in zip(lines[begins[0] + 1 :], found, strict=False):
        assert each["target"] in row and len(each["shots"]) == QUICK.rounds
    flows = [{"target": each["target"], "shots": each["shots"]} for each in told["measured"]["mqtt"]["flows"]]
    for each in [*found, *flows]:
        assert all(shot["rate"] > 0 and 0 < shot["p50"] <= shot["p99"] for shot in each["shots"]), each
        assert not any(shot["failed"] for shot in each["shots"]), each
