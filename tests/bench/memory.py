"""Memory: what an idle host holds and costs, and what a second instance of a function adds."""

import os
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.bench.goals import Goal, at_most, interval
from tests.bench.ours import deploy, running_host, scale
from tests.bench.part import Part, Run, figures
from tests.bench.plan import Sizes
from tests.bench.shots import cpu_seconds
from tests.hosts import RunningHost, wait_until

CALLERS = 4
BLOCK = 100
MB = 10**6
LARGEST_IDLE, BUSIEST_IDLE, LARGEST_SECOND = 60.0, 0.5, 15.0

ARRAY = """
import os
import numpy

def init(context):
    global model
    model = numpy.random.default_rng(0).random(int(os.environ["SIZE"]) * 10**6 // 8)

def index(event, context):
    # One number of each page: all of the model is read, as a prediction would.
    return {"pid": os.getpid(), "sum": float(model[event["n"] % 512::512].sum())}
"""
OBJECTS = """
import os

def init(context):
    global model
    model = {f"point {n}": {"mean": n / 7, "seen": n + 1000} for n in range(int(os.environ["SIZE"]))}

def index(event, context):
    wanted = (f"point {(event['n'] * 7919 + k * 104729) % len(model)}" for k in range(100))
    return {"pid": os.getpid(), "sum": sum(model[each]["mean"] for each in wanted)}
"""


@dataclass(frozen=True)
class Idle:
    """The host's process in MB: proportional and resident, after its start and with one idle function.

    `busy` is its processor time with nothing deployed, in per cent of one core.
    """

    pss: float
    rss: float
    pss_with_function: float
    busy: float


@dataclass(frozen=True)
class Growth:
    """A pool's proportional set size in MB, with one instance and with two, when each of them has worked."""

    model: str
    one: float
    two: float

    @property
    def second(self) -> float:
        """What the second instance added."""
        return self.two - self.one


@dataclass(frozen=True)
class Memory:
    """All of it; the first pool's model is an array."""

    idle: Idle
    growth: tuple[Growth, ...]


@dataclass(frozen=True)
class Pool:
    """A function that was deployed for this, and how often each of its instances is invoked."""

    name: str
    model: str
    invocations: int


def measure_memory(run: Run) -> Part:
    """An idle host, then two pools that grow by one instance each."""
    with running_host(run.folder / "host") as host:
        memory = Memory(_measure_idle(host, run.plan.idle), _measure_growth(host, run.plan.sizes))
    return Part("memory", tuple(goals(memory)), (figures("memory", _rows(memory)),), memory)


def goals(memory: Memory) -> list[Goal]:
    """The promises about an idle host, and about one instance more."""
    idle, array = memory.idle, memory.growth[0]
    return [
        at_most("host with nothing deployed, PSS", interval([idle.pss]), LARGEST_IDLE, " MB"),
        at_most("host with nothing deployed, processor", interval([idle.busy]), BUSIEST_IDLE, " % of a core"),
        at_most(f"one more instance, {array.model}", interval([array.second]), LARGEST_SECOND, " MB"),
    ]


def _rows(memory: Memory) -> dict[str, str]:
    idle = memory.idle
    rows = {
        "idle host, no function": f"{idle.pss:.1f} MB PSS, {idle.rss:.1f} MB RSS",
        "the same with one idle function (its pool not counted)": f"{idle.pss_with_function:.1f} MB PSS",
    }
    for growth in memory.growth:
        rows[f"pool of one instance, {growth.model}"] = f"{growth.one:.1f} MB PSS"
        rows[f"pool of two instances, {growth.model}"] = f"{growth.two:.1f} MB PSS"
        rows[f"second instance, {growth.model}"] = f"{growth.second:.1f} MB PSS"
    return rows


def _measure_idle(host: RunningHost, seconds: int) -> Idle:
    wait_until(lambda: host.client.get(f"{host.url}/readyz").is_success, "the host is ready")
    empty, resident = pss(host.process.pid), psutil.Process(host.process.pid).memory_info().rss / MB
    busy = _busy(host.process.pid, seconds)
    deploy(host, "echo", "def index(event, context):\n    return event\n")
    return Idle(empty, resident, pss(host.process.pid), busy)


def _busy(pid: int, seconds: int) -> float:
    """Per cent of a core; the kernel counts in steps of 10 ms, so of a short look little is told."""
    before = sum(cpu_seconds(pid).values())
    time.sleep(seconds)
    return (sum(cpu_seconds(pid).values()) - before) / seconds * 100


def _measure_growth(host: RunningHost, sizes: Sizes) -> tuple[Growth, ...]:
    deploy(host, "array", ARRAY, _manifest(sizes.array), "numpy\n")
    deploy(host, "objects", OBJECTS, _manifest(sizes.objects))
    array = Pool("array", f"array of {sizes.array} MB", sizes.invocations)
    objects = Pool("objects", f"{sizes.objects:,} Python objects", sizes.invocations)
    return _grow(host, array), _grow(host, objects)


def _manifest(size: int) -> str:
    return f"scale: {{min: 1, max: 2}}\nenv: {{SIZE: {size}}}\n"


def _grow(host: RunningHost, pool: Pool) -> Growth:
    told = [line["message"] for line in host.logs(pool.name) if "not preloaded" in line["message"]]
    assert not told, told
    one, two = (_pss_of(host, pool, instances) for instances in (1, 2))
    return Growth(pool.model, one, two)


def _pss_of(host: RunningHost, pool: Pool, instances: int) -> float:
    scale(host, pool.name, instances)
    wait_until(lambda: host.describe(pool.name)["instances"] == instances, "the instances run")
    _invoke_all(host, pool, instances)
    return _pool_pss(host, pool.name)


def _invoke_all(host: RunningHost, pool: Pool, instances: int) -> None:
    """Invoke until each instance has answered as often: the pages that it writes are its own by then."""
    answered: Counter[int] = Counter()
    with ThreadPoolExecutor(CALLERS) as callers:
        while len(answered) < instances or min(answered.values()) < pool.invocations:
            first = answered.total()
            answered.update(callers.map(_caller(host, pool.name), range(first, first + BLOCK)))
            assert first < 100 * pool.invocations, f"an instance of {pool.name} gets no events: {answered}"


def _caller(host: RunningHost, name: str) -> Callable[[int], int]:
    def call(number: int) -> int:
        told: dict[str, Any] = host.invoke(name, {"n": number}).json()
        return int(told["pid"])

    return call


def _pool_pss(host: RunningHost, name: str) -> float:
    instances = [each["pid"] for each in host.describe(name)["instances_detail"]]
    arbiter = psutil.Process(instances[0]).ppid()
    assert arbiter != host.process.pid and arbiter != os.getpid()
    return sum(pss(pid) for pid in [arbiter, *instances])


def pss(pid: int) -> float:
    """Proportional set size in MB: shared pages count by their share (proc_pid_smaps(5))."""
    return _rollup(pid, "Pss")


def uss(pid: int) -> float:
    """Unique set size in MB: the pages that no other process has."""
    return _rollup(pid, "Private_Clean") + _rollup(pid, "Private_Dirty")


def _rollup(pid: int, name: str) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    assert found is not None, text
    return int(found[1]) * 1024 / MB
