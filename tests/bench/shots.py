"""The load over HTTP: wrk against one target at a time, all targets in turn, round after round."""

import contextlib
import json
import os
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import psutil

from tests.bench.part import Row, Run, Table, UnmeasuredError, need_tool
from tests.bench.plan import Cell

SCRIPT = Path(__file__).parent / "wrk.lua"
SHOT_COLUMNS = ("spread", "p50 ms", "p99 ms", "CPU µs/req", "failed")
COLUMNS = ("body", "conn.", "server", "req/s", *SHOT_COLUMNS)

JSON = {"content-type": "application/json"}
PATIENCE = 60.0

T = TypeVar("T")


@dataclass(frozen=True)
class Target:
    """A server that answers events at `url`; `pid` is its first process."""

    name: str
    url: str
    pid: int


@dataclass(frozen=True)
class Shot:
    """One run of a load. Latencies are in ms; CPU is in µs per request, of all the target's processes.

    `failed` counts statuses of 400 and above, and connections that broke or timed out; over MQTT, events
    without an answer.
    """

    rate: float
    p50: float
    p99: float
    failed: int
    cpu: float
    front_cpu: float


@dataclass(frozen=True)
class Series:
    """All shots at one target with one load, in the order of the rounds."""

    cell: Cell
    target: str
    shots: tuple[Shot, ...]

    def values(self, name: str) -> list[float]:
        """One of the shots' values, round by round."""
        return [getattr(shot, name) for shot in self.shots]


@dataclass(frozen=True)
class Contest:
    """The targets and the loads that they are shot at with; `bodies` are by name."""

    targets: Sequence[Target]
    cells: Sequence[Cell]
    bodies: Mapping[str, bytes]


def measure(contest: Contest, run: Run) -> list[Series]:
    """Shoot at every target with every load, in so many rounds as planned, after one that warms it up."""
    files = _write_bodies(contest.bodies, run.folder)
    shots: dict[tuple[Cell, str], list[Shot]] = {}
    for target in contest.targets if run.plan.warm_up else ():
        shoot(target, contest.cells[-1], files, run.plan.warm_up)
    for number in range(run.plan.rounds):
        run.say(f"  round {number + 1} of {run.plan.rounds}")
        for cell in contest.cells:
            for target in turned(contest.targets, number):
                shot = shoot(target, cell, files, run.plan.seconds)
                shots.setdefault((cell, target.name), []).append(shot)
    return [
        Series(cell, target.name, tuple(shots[cell, target.name]))
        for cell in contest.cells
        for target in contest.targets
    ]


def turned(targets: Sequence[T], number: int) -> list[T]:
    """The targets in the order of a round: another one first, and every other round backwards.

    So none always follows the same one, nor always the one that it is compared with.
    """
    first = number % len(targets)
    order = [*targets[first:], *targets[:first]]
    return order[::-1] if number % 2 else order


def find(series: Sequence[Series], cell: Cell, target: str) -> Series | None:
    """The shots at a target with a load; None when it took no part."""
    return next((each for each in series if (each.cell, each.target) == (cell, target)), None)


def shots_table(series: Sequence[Series]) -> Table:
    """One row for each target and load."""
    rows = [
        (each.cell.body, str(each.cell.connections), each.target, *shot_cells(each.shots)) for each in series
    ]
    return Table(COLUMNS, tuple(rows))


def shot_cells(shots: Sequence[Shot]) -> Row:
    """The medians over the rounds, as text."""
    rates = [shot.rate for shot in shots]
    middle = statistics.median(rates)
    p50, p99, cpu = (
        statistics.median(getattr(shot, name) for shot in shots) for name in ("p50", "p99", "cpu")
    )
    return (
        f"{middle:,.0f}",
        f"{(max(rates) - min(rates)) / middle:.0%}" if middle else "-",
        f"{p50:.2f}",
        f"{p99:.2f}",
        f"{cpu:.0f}",
        str(sum(shot.failed for shot in shots)),
    )


def _write_bodies(bodies: Mapping[str, bytes], folder: Path) -> dict[str, Path]:
    files = {name: folder / f"body-{name}.json" for name in bodies}
    for name, body in bodies.items():
        files[name].write_bytes(body)
    return files


def shoot(target: Target, cell: Cell, files: Mapping[str, Path], seconds: int) -> Shot:
    """Run wrk once, on one thread; a body that has no file is none, and the request a GET.

    Raises UnmeasuredError when nothing is answered.
    """
    _settle(target, files.get(cell.body))
    before = cpu_seconds(target.pid)
    command = [need_tool("wrk"), "-t1", f"-c{cell.connections}", f"-d{seconds}s", "-s", str(SCRIPT)]
    body = [str(files[cell.body])] if cell.body in files else []
    # wrk's script must find its own modules, not those that a LUA_PATH of the caller names.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LUA_")}
    ran = subprocess.run(
        [*command, target.url, "--", *body], capture_output=True, text=True, check=True, env=environment
    )
    told = json.loads(ran.stdout.splitlines()[-1])
    if not told["requests"]:
        raise UnmeasuredError(f"{target.name} answers nothing within {seconds} s")
    return _read_shot(told, before, cpu_seconds(target.pid))


def _settle(target: Target, body: Path | None) -> None:
    """One more event, so that what hung-up callers of an earlier shot left in a queue is worked off."""
    if body is None:
        return
    # Without certificates, which take longer to load than the event does.
    httpx.post(target.url, content=body.read_bytes(), headers=JSON, timeout=PATIENCE, verify=False)


def _read_shot(told: dict[str, float], before: dict[int, float], after: dict[int, float]) -> Shot:
    requests = told["requests"]
    used = {pid: seconds - before.get(pid, 0.0) for pid, seconds in after.items()}
    return Shot(
        rate=told["requests"] / (told["duration"] / 1e6),
        p50=told["p50"] / 1e3,
        p99=told["p99"] / 1e3,
        failed=int(told["failed"]),
        cpu=sum(used.values()) * 1e6 / requests,
        front_cpu=next(iter(used.values())) * 1e6 / requests,
    )


def cpu_seconds(pid: int) -> dict[int, float]:
    """CPU time so far by process: the target's own first, then what it started."""
    front = psutil.Process(pid)
    found = {}
    for process in [front, *front.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found
