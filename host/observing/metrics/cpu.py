"""Processor time of functions: read from the kernel off the loop, and added up so that it never goes down."""

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from host.lifecycle import Part
from host.observing.proc_stat import TICKS, read_times_of
from runtime.pool import Pool
from runtime.steadily import steadily

READ_EVERY = 5.0
"""Seconds; a process takes 20 µs of a thread to be read."""

Pools = Callable[[], Iterable[Pool]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an arbiter with its instances has taken since it began, in seconds.

    `began` tells it from another one that has its process id later.
    """

    arbiter: int
    began: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Told:
    """What is read of a pool; `sharers` pools have these processes in common."""

    pool: Pool
    pids: tuple[int, ...]
    sharers: int


class CpuTimes:
    """Seconds by function; to be read by whoever likes, and added to by one."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._last: dict[Pool, Reading] = {}

    def seconds(self, function: str) -> float:
        """What all its processes have taken since the host was started, as of some seconds ago."""
        return self._seconds.get(function, 0.0)

    def note(self, told: Told, reading: Reading | None) -> None:
        """Add what came since the last reading; None when its arbiter has ended."""
        pool, before = told.pool, self._last.get(told.pool)
        if reading is None:
            self._last.pop(pool, None)
            return
        known = 0.0
        if before is not None and (before.arbiter, before.began) == (reading.arbiter, reading.began):
            known = before.seconds
        elif pool.spec.isolation == "subinterpreter":
            # Others may have used it before this one came.
            known = reading.seconds
        # An instance that ends between two looks at its arbiter is missing once.
        added = max(0.0, reading.seconds - known)
        self._last[pool] = Reading(reading.arbiter, reading.began, known + added)
        name = pool.spec.function
        self._seconds[name] = self.seconds(name) + added / told.sharers

    def retain(self, functions: Collection[str], pools: Collection[Pool]) -> None:
        """Forget all but these."""
        self._seconds = {name: value for name, value in self._seconds.items() if name in functions}
        self._last = {pool: reading for pool, reading in self._last.items() if pool in pools}


class CpuPart(Part):
    """Reads the processes of all pools each five seconds; `functions` are those that are deployed."""

    name = "processor times"
    priority = 210

    def __init__(self, times: CpuTimes, pools: Pools, functions: Callable[[], Collection[str]]) -> None:
        self._times = times
        self._pools = pools
        self._functions = functions
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to read."""
        self._reading = asyncio.create_task(steadily("processor times of functions", self.read, READ_EVERY))

    async def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def read(self) -> None:
        """Read all of them once."""
        pools = set(self._pools())
        told = [Told(pool, tuple(pool.pids()), pool.sharers) for pool in pools]
        awake = [each for each in told if each.pids]
        if awake:
            readings = await asyncio.to_thread(lambda: [read_times(each.pids) for each in awake])
            for each, reading in zip(awake, readings, strict=True):
                self._times.note(each, reading)
        self._times.retain(self._functions(), pools)


def read_times(pids: tuple[int, ...], proc: Path = Path("/proc")) -> Reading | None:
    """What an arbiter, which comes first, and its instances have used; None when it is gone.

    Raises OSError where that cannot be known: taken for gone, it would be counted anew from its beginning.
    The times of instances that it has reaped are its children's by then (proc(5), stat).
    """
    arbiter, *instances = pids
    own = read_times_of(proc, arbiter)
    if own is None:
        return None
    living = (read_times_of(proc, pid) for pid in instances)
    ticks = sum(each.own + each.reaped for each in (own, *living) if each is not None)
    return Reading(arbiter, own.born, ticks / TICKS)
