"""The report of a run: as text for a terminal, as Markdown for the documentation, as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path

from tests.bench.goals import Goal
from tests.bench.part import Part, Row, Table
from tests.bench.plan import Plan

BEGIN, END = "<!-- begin: written by `python -m tests.bench --markdown` -->", "<!-- end -->"
GOAL_COLUMNS = ("goal", "measured", "verdict")
TEXTS = {"server", "goal", "measured", "verdict"}


@dataclass(frozen=True)
class Result:
    """One run; `head` says on what and with what."""

    head: Mapping[str, str]
    plan: Plan
    parts: Sequence[Part]

    @property
    def goals(self) -> list[Goal]:
        """All of them, in the order of the sections."""
        return [goal for part in self.parts for goal in part.goals]


def text_report(result: Result) -> str:
    """The goals, the head, and the tables of all sections."""
    head = "\n".join(f"{name}: {value}" for name, value in result.head.items())
    return "\n\n".join([_aligned(_goals(result)), head, *map(_aligned, _tables(result))]) + "\n"


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
    told = {
        "head": result.head,
        "goals": [asdict(goal) for goal in result.goals],
        "plan": result.plan,
        "measured": {part.name: part.measured for part in result.parts},
    }
    return json.dumps(told, default=_plain, indent=1, ensure_ascii=False) + "\n"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{value!r} has no place in JSON")


def _markdown(result: Result) -> str:
    head = Table(("", ""), tuple(result.head.items()))
    return "\n".join(_piped(table) for table in [_goals(result), head, *_tables(result)])


def _goals(result: Result) -> Table:
    return Table(GOAL_COLUMNS, tuple((goal.text, goal.value, goal.verdict) for goal in result.goals))


def _tables(result: Result) -> list[Table]:
    return [table for part in result.parts for table in part.tables]


def _aligned(table: Table) -> str:
    rows = [table.columns, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.columns))]
    is_text = [column == 0 or name in TEXTS for column, name in enumerate(table.columns)]
    return "\n".join(_align(row, widths, is_text) for row in rows)


def _align(row: Row, widths: Sequence[int], is_text: Sequence[bool]) -> str:
    cells = zip(row, widths, is_text, strict=True)
    return "  ".join(cell.ljust(width) if text else cell.rjust(width) for cell, width, text in cells).rstrip()


def _piped(table: Table) -> str:
    lines = [table.columns, tuple("---" for _ in table.columns), *table.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
