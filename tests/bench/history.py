"""What the history costs with 100 functions: processor time of its looks, and memory of its rows."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from host.observing.history.history import History
from host.observing.history.looking import Look, Sources, Waiting
from host.observing.history.processes import PAUSE, SHARE, Processes, read_all
from host.observing.metrics.tallies import Tallies
from host.observing.slices import Slices
from runtime.events import Answer, Event
from runtime.observations import Run as Ended
from runtime.pool import InstanceView, Pool, PoolView
from runtime.scaling.memory import Figure
from runtime.spec import PoolSpec
from tests.bench.goals import at_most, interval
from tests.bench.part import Part, Run, figures

FUNCTIONS = 100
SECONDS = 60
EVENTS = 20
"""Of each function in a second, where functions are active."""
MOST_OF_A_CORE = 1.0
NOON = 1_800_000_000
SLEEP = "import sys; sys.stdin.read()"


class StandingPool:
    """A pool as the look sees it: an arbiter and one instance, which are there without doing anything."""

    def __init__(self, name: str, pids: list[int]) -> None:
        here = Path("/nowhere")
        self.spec = PoolSpec(name, 1, "0" * 64, here, here, here)
        self.is_asleep = not pids
        self.sharers = 1
        self.answered = 0
        self._pids = pids

    def pids(self) -> list[int]:
        """Those of the arbiter and of the instance."""
        return self._pids

    @property
    def load(self) -> tuple[int, int, int]:
        """As that of a pool: events that wait and run, instances."""
        return (0, 0, len(self._pids) // 2)

    def view(self) -> PoolView:
        """Made anew each time, as that of a pool is."""
        instance = InstanceView(0, self._pids[1], "idle", 0.0, self.answered)
        return PoolView("ready", [instance], 1, 0, 0, self.answered, 0, None, "hot")


@dataclass(frozen=True)
class Cost:
    """Per cent of a core that looking takes, by what the functions do; bytes of all rows after `SECONDS`."""

    asleep: float
    idle: float
    active: float
    bytes: int
    reading: float
    """Per cent of a core that reading /proc takes in its thread."""
    longest: float
    """Seconds of the longest slice of a look at active functions: events wait for it."""


def measure_history(run: Run) -> Part:
    """A minute of looks, one after the other, on 100 functions of two processes each."""
    cost = asyncio.run(measure_cost())
    highest = interval([max(cost.idle, cost.active) + cost.reading])
    rows = {
        f"{FUNCTIONS} functions that sleep": f"{cost.asleep:.2f} % of a core",
        f"{FUNCTIONS} idle functions, hot": f"{cost.idle:.2f} % of a core",
        f"{FUNCTIONS} functions with {EVENTS} events/s each": f"{cost.active:.2f} % of a core",
        f"reading the {2 * FUNCTIONS} processes, in a thread": f"{cost.reading:.2f} % of a core",
        "longest slice of a look at these": f"{cost.longest * 1e3:.1f} ms",
        f"rows of {FUNCTIONS} functions and instances after a minute": f"{cost.bytes / 1024:,.0f} KiB",
    }
    goal = at_most(f"history of {FUNCTIONS} functions", highest, MOST_OF_A_CORE, " % of a core")
    return Part("history", (goal,), (figures("history", rows),), cost)


async def measure_cost() -> Cost:
    """Each kind of functions for a minute of the history's time."""
    with _processes(2 * FUNCTIONS) as pids:
        asleep = _Scene([])
        asleep.work(EVENTS)
        idle, active = _Scene(pids), _Scene(pids)
        shares = [await asleep.share(0), await idle.share(0), await active.share(EVENTS)]
        seconds = read_all(Path("/proc"), pids, False).seconds
    pause = min(max(seconds / SHARE, PAUSE[0]), PAUSE[1])
    return Cost(
        shares[0], shares[1], shares[2], active.history.size, 100 * seconds / pause, max(active.longest)
    )


class _Scene:
    """A history of functions that all do the same."""

    def __init__(self, pids: list[int]) -> None:
        self.history = History()
        self.tallies = Tallies()
        self.longest: list[float] = []
        pairs = [pids[place : place + 2] for place in range(0, 2 * FUNCTIONS, 2)]
        self.pools = [StandingPool(f"function-{number}", pair) for number, pair in enumerate(pairs)]
        pools = cast(list[Pool], self.pools)
        names = {each.spec.function: [1] for each in self.pools}
        self.tallies.is_deployed = names.__contains__
        sources = Sources(self.tallies, lambda: names, lambda: pools, self._figure, lambda: Waiting(1, 2, 3))
        self.look = Look(self.history, sources, Processes(asyncio.get_running_loop()))

    def _figure(self, pool: Any) -> Figure:
        return Figure(0.0, 30_000_000, 2, 10_000_000, dict.fromkeys(pool.pids(), 15_000_000))

    def work(self, events: int) -> None:
        """Let each function end so many events."""
        for pool in self.pools:
            pool.answered += events
            for number in range(events):
                took = 0.002 * (number % 5)
                event = Event(b"")
                self.tallies.ended(Ended(pool.spec, event, Answer(b""), "ok", 0.0, 0.01, 0.01 + took, took))

    async def share(self, events: int) -> float:
        """Per cent of a core that looking takes in the loop's thread, and pressing rows with it."""
        taken = 0.0
        for second in range(SECONDS):
            self.work(events)
            slices = Slices()
            await self.look.look(NOON + second, slices)
            taken += slices.spent
            self.longest.append(slices.longest)
        return 100 * taken / SECONDS


@contextmanager
def _processes(count: int) -> Iterator[list[int]]:
    """So many processes that wait; they end with this one."""
    read, write = os.pipe()
    program = [sys.executable, "-I", "-S", "-c", SLEEP]
    there = [subprocess.Popen(program, stdin=read, stdout=subprocess.DEVNULL) for _ in range(count)]
    os.close(read)
    try:
        yield [each.pid for each in there]
    finally:
        os.close(write)
        for each in there:
            each.wait()
