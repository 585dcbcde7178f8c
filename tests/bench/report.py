"""The report of a run: as text for a terminal, as Markdown for the documentation, as JSON for programs."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.bench.load import Shot
from tests.bench.plan import FLOOD, RATIO_CELL
from tests.bench.result import Result, goals
from tests.bench.targets import ONE

COLUMNS = ("body", "conn.", "server", "req/s", "spread", "p50 ms", "p99 ms", "CPU µs/req", "failed")
FLOW_COLUMNS = ("MQTT load", "QoS", "server", "msg/s", "spread", "p50 ms", "p99 ms", "CPU µs/msg", "lost")
BEGIN, END = "<!-- begin: written by `python -m tests.bench --markdown` -->", "<!-- end -->"

Rows = list[tuple[str, ...]]


def text_report(result: Result) -> str:
    """The head, the table, the other figures and the goals."""
    parts = [
        "\n".join(f"{name}: {value}" for name, value in result.head.items()),
        _aligned([COLUMNS, *_load_rows(result)]),
        _aligned([FLOW_COLUMNS, *_flow_rows(result)]),
        _aligned(_figure_rows(result)),
        "\n".join(str(goal) for goal in goals(result)),
    ]
    return "\n\n".join(parts) + "\n"


def write_markdown(result: Result, page: Path) -> None:
    """Put the report between the marks of a page; raises ValueError when it has none."""
    text = page.read_text(encoding="utf-8")
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ValueError(f"{page} has no place for the report: it needs the lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{_markdown(result)}\n{END}{after}", encoding="utf-8")


def json_report(result: Result) -> str:
    """Everything, each single shot included."""
    told = asdict(result) | {"goals": [asdict(goal) for goal in goals(result)]}
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _markdown(result: Result) -> str:
    parts = [
        _piped(("", ""), list(result.head.items())),
        _piped(COLUMNS, _load_rows(result)),
        _piped(FLOW_COLUMNS, _flow_rows(result)),
        _piped(("other figures", ""), _figure_rows(result)),
        "".join(f"- {goal}\n" for goal in goals(result)),
    ]
    return "\n".join(parts)


def _load_rows(result: Result) -> Rows:
    return [
        (series.cell.body, str(series.cell.connections), series.target, *_shot_cells(series.shots))
        for series in result.series
    ]


def _flow_rows(result: Result) -> Rows:
    return [(flow.load, "1", flow.target, *_shot_cells(flow.shots)) for flow in result.mqtt.flows]


def _shot_cells(shots: Sequence[Shot]) -> tuple[str, ...]:
    rates = [shot.rate for shot in shots]
    middle = statistics.median(rates)
    p50, p99, cpu = (
        statistics.median(getattr(shot, name) for shot in shots) for name in ("p50", "p99", "cpu")
    )
    return (
        f"{middle:,.0f}",
        f"{(max(rates) - min(rates)) / middle:.0%}",
        f"{p50:.2f}",
        f"{p99:.2f}",
        f"{cpu:.0f}",
        str(sum(shot.failed for shot in shots)),
    )


def _figure_rows(result: Result) -> Rows:
    idle, starts = result.idle, result.starts
    figures: dict[str, str] = {
        "idle host, no function": f"{idle.pss:.1f} MiB PSS, {idle.rss:.1f} MiB RSS",
        "the same with one idle function (its pool not counted)": f"{idle.pss_with_function:.1f} MiB PSS",
    }
    for growth in result.growth:
        figures[f"pool of one instance, {growth.model}"] = f"{growth.one:.1f} MiB PSS"
        figures[f"pool of two instances, {growth.model}"] = f"{growth.two:.1f} MiB PSS"
        figures[f"second instance, {growth.model}"] = f"{growth.second:.1f} MiB PSS"
    figures |= {
        "host process alone, body A, 16 connections": f"{_front_cpu(result):.0f} CPU µs/req",
        f"host process alone, MQTT QoS 1, {FLOOD}": f"{_flow_cpu(result):.0f} CPU µs/msg",
        "host start, to listening": f"{starts.host:.0f} ms",
        "deploy of an empty package, to its health probe": f"{starts.deploy:.0f} ms",
        "first answer, cold (no process)": f"{starts.cold:.0f} ms",
        "first answer, warm (arbiter without an instance)": f"{starts.warm:.1f} ms",
        "second instance, from command to ready": f"{starts.spawn:.1f} ms",
        "config of 500 functions on one rule, loaded": f"{result.rules.load:.0f} ms",
        "one event matched against 1,000 functions": f"{result.rules.match * 1000:.0f} µs",
        "devices looked at for that": f"{result.rules.evaluated}",
    }
    return list(figures.items())


def _front_cpu(result: Result) -> float:
    series = result.find(RATIO_CELL, ONE)
    assert series is not None
    return statistics.median(shot.front_cpu for shot in series.shots)


def _flow_cpu(result: Result) -> float:
    return statistics.median(shot.front_cpu for shot in result.mqtt.find(FLOOD, ONE).shots)


def _aligned(rows: Rows) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_align(row, widths) for row in rows)


def _align(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [
        cell.ljust(width) if column in (0, 2) else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _piped(columns: tuple[str, ...], rows: Rows) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
