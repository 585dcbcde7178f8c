"""The load: wrk against one target at a time, all targets in turn, round after round."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from tests.bench.plan import Cell, Plan, bodies
from tests.bench.targets import Target

SCRIPT = Path(__file__).parent / "wrk.lua"
MISSING = "the benchmark needs wrk: apt-get install wrk"

T = TypeVar("T")

Say = Callable[[str], None]


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


def find_wrk() -> str | None:
    """The path of wrk, if it is installed."""
    return shutil.which("wrk")


def measure(targets: Sequence[Target], plan: Plan, folder: Path, say: Say) -> list[Series]:
    """Shoot at every target with every load, `plan.rounds` times; `folder` takes the bodies' files."""
    files = _write_bodies(folder)
    shots: dict[tuple[Cell, str], list[Shot]] = {}
    for target in targets:
        shoot(target, plan.cells[-1], files, 1)
    for number in range(plan.rounds):
        say(f"round {number + 1} of {plan.rounds}")
        for cell in plan.cells:
            for target in turned(targets, number):
                shots.setdefault((cell, target.name), []).append(shoot(target, cell, files, plan.seconds))
    return [
        Series(cell, target.name, tuple(shots[cell, target.name]))
        for cell in plan.cells
        for target in targets
    ]


def turned(targets: Sequence[T], number: int) -> list[T]:
    """The targets in the order of a round: each begins with another, so that none always follows the same."""
    first = number % len(targets)
    return [*targets[first:], *targets[:first]]


def _write_bodies(folder: Path) -> dict[str, Path]:
    files = {name: folder / f"body-{name}.json" for name in bodies()}
    for name, body in bodies().items():
        files[name].write_bytes(body)
    return files


def shoot(target: Target, cell: Cell, files: dict[str, Path], seconds: int) -> Shot:
    """Run wrk once, on one thread."""
    before = cpu_seconds(target.pid)
    command = [find_wrk() or "wrk", "-t1", f"-c{cell.connections}", f"-d{seconds}s", "-s", str(SCRIPT)]
    # wrk's script must find its own modules, not those that a LUA_PATH of the caller names.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LUA_")}
    ran = subprocess.run(
        [*command, target.url, "--", str(files[cell.body])],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return _read_shot(json.loads(ran.stdout.splitlines()[-1]), before, cpu_seconds(target.pid))


def _read_shot(told: dict[str, float], before: dict[int, float], after: dict[int, float]) -> Shot:
    requests = max(1, told["requests"])
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
        times = process.cpu_times()
        found[process.pid] = times.user + times.system
    return found
