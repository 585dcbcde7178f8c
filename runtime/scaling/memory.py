"""How much memory pools really use: the proportional set size of their processes, read off the loop."""

import asyncio
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Protocol

READ_EVERY = 0.2
"""Seconds from one process to the next: reading a large one takes the kernel milliseconds."""
LOWEST_AVAILABLE = 0.05
LOW_FOR = 10.0
"""Seconds for which a look at the machine's memory counts; then a pool may try, and it is looked at again."""
BUDGET_SHARE = 0.75
KIB = 1024
PAGE = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class Usage:
    """One process, in bytes: `pss` with its share of what it shares, `private` what it alone holds."""

    pss: int
    private: int

    def shared_by(self, pools: int) -> "Usage":
        """What each of so many pools is charged with."""
        return Usage(self.pss // pools, self.private // pools)


@dataclass(frozen=True, slots=True)
class Figure:
    """A pool as it was read at `at` (seconds of the loop's clock); sizes are in bytes.

    `growth` is what one more instance costs: the mean of what the instances hold alone. It is 0 as long as no
    instance has been read. `sizes` are the PSS of each process, by its id.
    """

    at: float
    pss: int
    processes: int
    growth: int
    sizes: Mapping[int, int] = field(default_factory=dict, compare=False)


class Sampled(Protocol):
    """What has processes."""

    def pids(self) -> list[int]:
        """The arbiter, then its instances."""

    @property
    def sharers(self) -> int:
        """How many pools these processes are shared by."""

    def weigh(self, usage: Mapping[int, Usage]) -> None:
        """All its processes were read, one after the other."""


class Sampler:
    """Reads the processes of the pools that are asked for, one at a time; `read` runs in a thread."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, read: Callable[[int], Usage | None] | None = None
    ) -> None:
        self.on_figure: Callable[[], None] | None = None
        self._low_until = -inf
        self._loop = loop
        self._read = read or read_usage
        self._figures: dict[Sampled, Figure] = {}
        self._queue: dict[Sampled, dict[int, Usage | None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._reading = False
        self._next = 0.0

    @property
    def low(self) -> bool:
        """Whether the machine had hardly any memory left when it was last looked at, not long ago."""
        return self._loop.time() < self._low_until

    def figure(self, pool: Sampled) -> Figure | None:
        """What was read last; None before that and when the pool has no process."""
        return self._figures.get(pool)

    def want(self, pool: Sampled) -> None:
        """Read this pool soon; its figure comes when all its processes have been read."""
        self._queue.setdefault(pool, {})
        self._arm()

    def forget(self, pool: Sampled) -> None:
        """The pool has no process any more, or is no pool any more."""
        self._figures.pop(pool, None)
        self._queue.pop(pool, None)

    def stop(self) -> None:
        """Read no more."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self) -> None:
        if self._timer is None and not self._reading and self._queue:
            self._timer = self._loop.call_later(max(0.0, self._next - self._loop.time()), self._step)

    def _step(self) -> None:
        self._timer = None
        for pool, known in list(self._queue.items()):
            # Asked for anew each time: processes come and go while the others are read.
            pid = next((pid for pid in pool.pids() if pid not in known), None)
            if pid is not None:
                self._begin(pool, pid)
                return
            self._conclude(pool)

    def _begin(self, pool: Sampled, pid: int) -> None:
        self._reading = True
        # To the end of the line: a pool whose processes change all the time must not keep the others waiting.
        self._queue[pool] = self._queue.pop(pool)
        self._next = self._loop.time() + READ_EVERY
        reading = self._loop.run_in_executor(None, self._look, pid)
        reading.add_done_callback(lambda done: self._took(pool, pid, done))

    def _look(self, pid: int) -> tuple[Usage | None, bool]:
        return self._read(pid), is_memory_low()

    def _took(self, pool: Sampled, pid: int, done: "asyncio.Future[tuple[Usage | None, bool]]") -> None:
        self._reading = False
        if done.cancelled():
            return
        usage, low = done.result()
        self._low_until = self._loop.time() + LOW_FOR if low else -inf
        if pool in self._queue:
            self._queue[pool][pid] = usage and usage.shared_by(pool.sharers)
            if all(each in self._queue[pool] for each in pool.pids()):
                self._conclude(pool)
        self._arm()

    def _conclude(self, pool: Sampled) -> None:
        known = self._queue.pop(pool)
        pids = pool.pids()
        read = [usage for pid in pids if (usage := known[pid])]
        pool.weigh({pid: usage for pid in pids if (usage := known[pid])})
        if not pids:
            self._figures.pop(pool, None)
        else:
            instances = [usage.private for pid in pids[1:] if (usage := known[pid])]
            before = self._figures.get(pool)
            # A warm pool has no instance; what its last ones held is the best guess for the next one.
            growth = sum(instances) // len(instances) if instances else before.growth if before else 0
            pss = sum(usage.pss for usage in read)
            sizes = {pid: usage.pss for pid in pids if (usage := known[pid])}
            self._figures[pool] = Figure(self._loop.time(), pss, len(pids), growth, sizes)
        if self.on_figure is not None:
            self.on_figure()


def read_usage(pid: int) -> Usage | None:
    """What a process uses; None when it is gone. Takes milliseconds.

    Of a process that we may not look into it is what is resident, its part of shared memory counted in full.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_bytes()
    except PermissionError:
        return _read_resident(pid)
    except OSError:
        return None
    sizes = {line.split(b":")[0]: line.split() for line in text.splitlines()[1:]}
    if b"Pss" not in sizes:
        return None
    private = sum(int(sizes[key][1]) for key in (b"Private_Clean", b"Private_Dirty") if key in sizes)
    return Usage(int(sizes[b"Pss"][1]) * KIB, private * KIB)


def _read_resident(pid: int) -> Usage | None:
    # Another user's, where root may not trace (CAP_SYS_PTRACE), as in containers by default (proc(5), statm).
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_bytes().split()
    except OSError:
        return None
    return Usage(int(resident) * PAGE, (int(resident) - int(shared)) * PAGE)


def is_memory_low(proc: Path = Path("/proc")) -> bool:
    """Whether less than 5 % of the machine's memory is available to programs."""
    sizes = _read_meminfo(proc)
    return sizes.get("MemAvailable", 1) < sizes.get("MemTotal", 0) * LOWEST_AVAILABLE


def default_budget(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Three quarters, in bytes, of what there is for us."""
    return int(allowed_memory(proc, cgroups) * BUDGET_SHARE)


def allowed_memory(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """The machine's memory or what our cgroup may use, whichever is less, in bytes."""
    limits = [_read_meminfo(proc)["MemTotal"]]
    for line in (proc / "self" / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            limits += _read_limits(cgroups, path, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _read_limits(cgroups / "memory", path, "memory.limit_in_bytes")
    return min(limits)


def _read_limits(mount: Path, path: str, name: str) -> list[int]:
    # Each level above has its say, too; inside a container the path may be one of the outside.
    folders = [mount, *(mount.joinpath(*path.strip("/").split("/")[: n + 1]) for n in range(path.count("/")))]
    found = [folder / name for folder in folders if (folder / name).is_file()]
    texts = [file.read_text().strip() for file in found]
    return [int(text) for text in texts if text.isdecimal()]


def _read_meminfo(proc: Path) -> dict[str, int]:
    lines = (proc / "meminfo").read_text().splitlines()
    return {name: int(rest.split()[0]) * KIB for name, _, rest in (line.partition(":") for line in lines)}
