"""Memory: what an idle host holds, and what a second instance of a function adds."""

import os
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.bench.plan import Plan
from tests.bench.targets import deploy, running_host
from tests.hosts import RunningHost, wait_until

CALLERS = 4
BLOCK = 100
MIB = 2**20

ARRAY = """
import os
import numpy

def init(context):
    global model
    model = numpy.random.default_rng(0).random(int(os.environ["SIZE"]) * 2**20 // 8)

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
    """The host's process in MiB: proportional and resident, after its start and with one idle function."""

    pss: float
    rss: float
    pss_with_function: float


@dataclass(frozen=True)
class Growth:
    """A pool's proportional set size in MiB, with one instance and with two, when each of them has worked."""

    model: str
    one: float
    two: float

    @property
    def second(self) -> float:
        """What the second instance added."""
        return self.two - self.one


@dataclass(frozen=True)
class Pool:
    """A function that was deployed for this, and how often each of its instances is invoked."""

    name: str
    model: str
    invocations: int


def measure_idle(folder: Path) -> Idle:
    """Start a host and look at it before and after its first deploy."""
    with running_host(folder) as host:
        wait_until(lambda: host.client.get(f"{host.url}/readyz").is_success, "the host is ready")
        empty, resident = pss(host.process.pid), psutil.Process(host.process.pid).memory_info().rss / MIB
        deploy(host, "echo", "def index(event, context):\n    return event\n")
        return Idle(empty, resident, pss(host.process.pid))


def measure_growth(folder: Path, plan: Plan) -> list[Growth]:
    """Grow two pools by one instance: a model that is one array, and one of many Python objects."""
    with running_host(folder) as host:
        deploy(host, "array", ARRAY, _manifest(plan.model_mib), "numpy\n")
        deploy(host, "objects", OBJECTS, _manifest(plan.model_objects))
        array = Pool("array", f"array of {plan.model_mib} MiB", plan.invocations)
        objects = Pool("objects", f"{plan.model_objects:,} Python objects", plan.invocations)
        return [_grow(host, array), _grow(host, objects)]


def _manifest(size: int) -> str:
    return f"scale: {{min: 1, max: 2}}\nenv: {{SIZE: {size}}}\n"


def _grow(host: RunningHost, pool: Pool) -> Growth:
    told = [line["message"] for line in host.logs(pool.name) if "not preloaded" in line["message"]]
    assert not told, told
    one, two = (_pss_of(host, pool, instances) for instances in (1, 2))
    return Growth(pool.model, one, two)


def _pss_of(host: RunningHost, pool: Pool, instances: int) -> float:
    host.client.post(f"{host.url}/api/functions/{pool.name}/scale", json={"instances": instances})
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
    """Proportional set size in MiB: shared pages count by their share (proc_pid_smaps(5))."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    found = re.search(r"^Pss:\s+(\d+) kB$", text, re.MULTILINE)
    assert found is not None, text
    return int(found[1]) / 1024
