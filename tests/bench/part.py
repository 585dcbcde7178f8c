"""A section of the benchmark, and what it hands to the report."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.goals import Goal
from tests.bench.plan import Plan
from tests.bench.venvs import Environment

Say = Callable[[str], None]
Row = tuple[str, ...]


class UnmeasuredError(Exception):
    """It cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Run:
    """What a section works with; `folder` is its own, and `environments` are the peers' by name."""

    plan: Plan
    folder: Path
    environments: Mapping[str, Environment]
    say: Say


@dataclass(frozen=True)
class Table:
    """Rows below their columns' names."""

    columns: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Part:
    """What came of a section; `measured` has every single value, as dataclasses, lists and dicts."""

    name: str
    goals: tuple[Goal, ...]
    tables: tuple[Table, ...] = ()
    measured: object = None


Measure = Callable[[Run], Part]


def figures(name: str, rows: Mapping[str, str]) -> Table:
    """A table of single figures."""
    return Table((name, ""), tuple(rows.items()))


def find_tool(name: str) -> str | None:
    """The path of a program, also of one that Debian keeps for root."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def need_tool(name: str) -> str:
    """The path of a program; raises UnmeasuredError when it is not installed."""
    if (path := find_tool(name)) is None:
        raise UnmeasuredError(f"{name} is not installed (Debian: apt-get install {name})")
    return path
