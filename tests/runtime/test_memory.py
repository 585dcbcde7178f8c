"""Measured memory: real processes, and the limits of machines and cgroups."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from runtime.scaling.decisions import Decision, Measurement
from runtime.scaling.memory import Figure, Sampler, Usage, default_budget, is_memory_low, read_usage
from runtime.scaling.scaler import Scaler
from runtime.spec import MIB, PoolSpec, ScaleRule
from tests.hosts import ROOT
from tests.worker.boxed import USER, reachable_python

GIB = 1024 * MIB
HOLD = "import sys; held = b'x' * (64 << 20); print('ready', flush=True); sys.stdin.read()"


@pytest.fixture
def holder() -> Iterator[int]:
    """A process that holds 64 MiB."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.kill()


class Processes:
    """A pool that is nothing but its processes."""

    sharers = 1

    def __init__(self, *pids: int) -> None:
        self.list = list(pids)

    def pids(self) -> list[int]:
        return self.list

    def weigh(self, usage: Mapping[int, Usage]) -> None:
        """It may have any weight."""


async def read_figure(sampler: Sampler, pool: Processes) -> Figure | None:
    """The figure that comes next."""
    done = asyncio.Event()
    sampler.on_figure = done.set
    sampler.want(pool)
    await asyncio.wait_for(done.wait(), 30)
    return sampler.figure(pool)


def test_a_process_is_read_with_what_it_holds_alone(holder: int) -> None:
    usage = read_usage(holder)
    assert usage is not None and 64 * MIB < usage.private <= usage.pss < 256 * MIB


def test_a_process_of_another_user_is_read_as_far_as_it_may_be(holder: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user to look from")
    code = f"from runtime.scaling.memory import read_usage; print(read_usage({holder}).pss)"
    command = [reachable_python(), "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"]
    done = subprocess.run(
        command, user=USER, group=USER, capture_output=True, text=True, timeout=60, check=False
    )
    if "No module named" in done.stderr:
        pytest.skip("the project lies where another user may not reach it")
    assert 64 * MIB < int(done.stdout) < 256 * MIB
    usage = read_usage(holder)
    assert usage is not None and usage.pss <= int(done.stdout)


def test_a_process_that_is_gone_has_no_usage() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    assert read_usage(process.pid) is None


def test_a_figure_sums_the_pool_and_knows_what_one_more_instance_costs(holder: int) -> None:
    async def scenario() -> Figure | None:
        sampler = Sampler(asyncio.get_running_loop())
        return await read_figure(sampler, Processes(os.getpid(), holder))

    figure = asyncio.run(scenario())
    assert figure is not None and figure.processes == 2
    assert figure.pss > figure.growth > 64 * MIB


def test_what_ends_while_others_are_read_does_not_count_and_a_warm_pool_remembers_its_instances() -> None:
    async def scenario() -> tuple[Figure | None, ...]:
        pool = Processes(1, 2, 3)

        def read(pid: int) -> Usage:
            pool.list = [each for each in pool.list if each != 2 or pid != 3]
            return Usage(pid * 10, pid)

        sampler = Sampler(asyncio.get_running_loop(), read)
        hot = await read_figure(sampler, pool)
        pool.list = [1]
        warm = await read_figure(sampler, pool)
        pool.list = []
        return hot, warm, await read_figure(sampler, pool)

    hot, warm, cold = asyncio.run(scenario())
    assert hot is not None and (hot.pss, hot.processes, hot.growth) == (40, 2, 3)
    assert warm is not None and (warm.pss, warm.growth) == (10, 3)
    assert cold is None


def test_the_scaler_counts_what_a_real_loop_and_a_real_process_have(holder: int) -> None:
    class Pool(Processes):
        spec = PoolSpec("f", 1, "", Path(), Path(), Path(), scale=ScaleRule(min=1))

        def measure(self) -> Measurement:
            now = asyncio.get_running_loop().time()
            return Measurement(now, 0, 0, 0, 0, None, 1, "hot", now)

        def apply(self, decision: Decision) -> None:
            raise AssertionError(decision.sentence)

    async def scenario() -> int:
        loop, read = asyncio.get_running_loop(), asyncio.Event()
        sampler = Sampler(loop)
        scaler = Scaler(loop, sampler, GIB)

        def note() -> None:
            scaler.memory_read()
            read.set()

        sampler.on_figure = note
        scaler.activate(Pool(os.getpid(), holder))
        await asyncio.wait_for(read.wait(), 30)
        used = scaler.memory.used
        scaler.stop()
        sampler.stop()
        return used

    assert asyncio.run(scenario()) > 64 * MIB


def write(folder: Path, files: dict[str, str]) -> None:
    """A tree of kernel files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")


@pytest.mark.parametrize(
    ("cgroup", "limits", "least"),
    [
        ("0::/\n", {}, 8 * GIB),
        ("0::/site/host\n", {"site/memory.max": f"{4 * GIB}\n", "site/host/memory.max": "max\n"}, 4 * GIB),
        ("0::/outside/the/container\n", {"memory.max": f"{2 * GIB}\n"}, 2 * GIB),
        ("4:cpu,memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": f"{GIB}\n"}, GIB),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, 8 * GIB),
    ],
)
def test_the_budget_is_three_quarters_of_the_least_limit(
    tmp_path: Path, cgroup: str, limits: dict[str, str], least: int
) -> None:
    write(tmp_path / "proc", {"meminfo": f"MemTotal: {8 * GIB // 1024} kB\n", "self/cgroup": cgroup})
    write(tmp_path / "cgroups", limits)
    assert default_budget(tmp_path / "proc", tmp_path / "cgroups") == least * 3 // 4


def test_this_machine_has_a_budget() -> None:
    assert default_budget() > 64 * MIB


@pytest.mark.parametrize(("available", "low"), [(4, True), (6, False)])
def test_memory_is_low_below_a_twentieth(tmp_path: Path, available: int, low: bool) -> None:
    write(tmp_path, {"meminfo": f"MemTotal: 100 kB\nHugePages_Total: 0\nMemAvailable: {available} kB\n"})
    assert is_memory_low(tmp_path) is low
