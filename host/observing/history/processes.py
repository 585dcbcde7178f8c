"""What processes have used, read from /proc off the loop, and no more of it than a processor hardly feels."""

import asyncio
import logging
import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from host.observing.history.axis import time_since_boot
from host.observing.proc_stat import GONE, TICKS, read_file, read_times_of
from runtime.scaling.memory import read_usage

logger = logging.getLogger(__name__)

SHARE = 0.002
"""The part of a core that reading may take; 100 processes take some 3 ms (`tests/bench`)."""
PAUSE = (1.0, 30.0)
"""Seconds from one reading to the next."""
WEIGH_EVERY = 60.0
"""Seconds between two looks at the host's own memory, which cost milliseconds."""
KEPT = 30
"""Passes for which a process is remembered that was not there in one."""
SLACK = 0.5
"""Seconds by which a look may come early: there is one each second."""
HIDDEN = (*GONE, PermissionError)
RECEIVED, SENT = 0, 8
"""Columns of /proc/net/dev (proc(5))."""


@dataclass(slots=True)
class Used:
    """Totals since the host began to look; `disk_read` and `disk_written` are bytes that reached a disk."""

    cpu_seconds: float = 0.0
    disk_read: float = 0.0
    disk_written: float = 0.0

    def add(self, other: "Used", share: float = 1.0) -> None:
        """That much of another, too."""
        for each in fields(self):
            name = each.name
            setattr(self, name, getattr(self, name) + getattr(other, name) * share)


@dataclass(frozen=True, slots=True)
class Read:
    """A process at one moment; `born` (ticks since boot) tells it from a later one with its number."""

    born: int
    cpu_seconds: float
    disk_read: int
    disk_written: int

    def since(self, before: "Read") -> Used:
        """What it used between the two."""
        return Used(
            self.cpu_seconds - before.cpu_seconds,
            self.disk_read - before.disk_read,
            self.disk_written - before.disk_written,
        )


NOTHING = Read(0, 0.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Known:
    """What was read of a process last, `at` that pass, and how many functions shared it."""

    read: Read
    at: int
    sharers: int


@dataclass
class Pass:
    """One reading of all, begun `at` (ticks since boot).

    `network` is received and sent, `weight` the host's own memory, None: not read.
    """

    at: int
    processes: dict[int, Read]
    network: tuple[int, int]
    descriptors: int
    weight: int | None
    seconds: float


@dataclass(slots=True)
class Usage:
    """What the host's `own` process and `everyone` used, its functions included, and the machine's network.

    `memory` is the host's own, in bytes of its proportional set size; `received` and `sent` are bytes.
    """

    received: int = 0
    sent: int = 0
    descriptors: int = 0
    memory: int = 0
    processes: int = 1
    own: Used = field(default_factory=Used)
    everyone: Used = field(default_factory=Used)


class Processes:
    """Adds up what the processes use, by the names of what they belong to.

    What a process uses between its last reading and its end is not seen.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, proc: Path = Path("/proc")) -> None:
        self.usage = Usage()
        self.by_name: defaultdict[str, Used] = defaultdict(Used)
        self._loop = loop
        self._proc = proc
        self._known: dict[int, Known] = {}
        self._passes: deque[int] = deque([0], KEPT)
        self._network: tuple[int, int] | None = None
        self._due = self._weighed = 0.0
        self._left = 1
        self._share = 1.0
        self._reading = self._failed = False

    def want(self, owners: Callable[[], Mapping[int, Sequence[str]]]) -> None:
        """Read soon, unless it is too early: `owners` tells the names that share in each process."""
        if not self._reading and self._loop.time() >= self._due:
            named = owners()
            weigh = self._loop.time() >= self._weighed
            reading = self._loop.run_in_executor(None, read_all, self._proc, [os.getpid(), *named], weigh)
            self._reading = True
            reading.add_done_callback(lambda done: self._took(named, done))

    def _took(self, named: Mapping[int, Sequence[str]], done: "asyncio.Future[Pass]") -> None:
        self._reading = False
        if not done.cancelled() and not self._has_failed(done.exception()):
            self._take(named, done.result())

    def _has_failed(self, error: BaseException | None) -> bool:
        if error is None:
            self._failed = False
            return False
        self._due = self._loop.time() + PAUSE[0] - SLACK
        if not self._failed:
            logger.warning(
                "what processes use cannot be read for now (%s): the history shows what was read last; "
                "`fnhost doctor` tells whether the host may open more files",
                error,
            )
        self._failed = True
        return True

    def _take(self, named: Mapping[int, Sequence[str]], seen: Pass) -> None:
        now, usage = self._loop.time(), self.usage
        pause = min(max(seen.seconds / SHARE, PAUSE[0]), PAUSE[1])
        self._due, self._left = now + pause - SLACK, round(pause)
        if seen.weight is not None:
            usage.memory, self._weighed = seen.weight, now + WEIGH_EVERY
        usage.descriptors, usage.processes = seen.descriptors, len(seen.processes)
        self._count_network(seen.network)
        for pid, process in seen.processes.items():
            self._count(self._difference(pid, process), named.get(pid, ()))
            self._known[pid] = Known(process, seen.at, max(1, len(named.get(pid, ()))))
        self._passes.append(seen.at)
        self._known = {pid: each for pid, each in self._known.items() if each.at >= self._passes[0]}

    def _difference(self, pid: int, now: Read) -> Used:
        """What it used since it was read last, all of it where it is new."""
        known = self._known.get(pid)
        if known is not None and known.read.born == now.born:
            return now.since(known.read)
        # What is older than all that is remembered was counted, and then missed for long.
        return now.since(NOTHING if now.born >= self._passes[0] else now)

    def advance(self) -> None:
        """A second is over: what was read is shown in steps until it is read anew."""
        self._share = 1 / max(1, self._left)
        self._left -= 1

    def follow(self, shown: float, total: float) -> float:
        """What to show of a total in this second, that was `shown` in the last."""
        return shown + (total - shown) * self._share

    def cpu_of(self, pid: int) -> float:
        """Seconds of a processor that a process took so far, or its share of those that it runs."""
        known = self._known.get(pid)
        return 0.0 if known is None else known.read.cpu_seconds / known.sharers

    def _count_network(self, network: tuple[int, int]) -> None:
        earlier = self._network or network
        self._network = network
        # An interface that goes takes its counts with it.
        self.usage.received += max(0, network[0] - earlier[0])
        self.usage.sent += max(0, network[1] - earlier[1])

    def _count(self, used: Used, names: Sequence[str]) -> None:
        self.usage.everyone.add(used)
        if not names:
            self.usage.own.add(used)
        for name in names:
            self.by_name[name].add(used, 1 / len(names))

    def forget(self, name: str) -> None:
        """Nobody asks for it any more."""
        self.by_name.pop(name, None)


def read_all(proc: Path, pids: Iterable[int], weigh: bool) -> Pass:
    """One reading, without processes that are gone; raises OSError where no more files can be opened."""
    began, at = time.thread_time(), int(time_since_boot() * TICKS)
    read = {pid: process for pid in pids if (process := read_process(proc, pid)) is not None}
    usage = read_usage(os.getpid()) if weigh else None
    descriptors = len(os.listdir(proc / "self" / "fd"))
    network = read_network(proc)
    weight = None if usage is None else usage.pss
    return Pass(at, read, network, descriptors, weight, time.thread_time() - began)


def read_process(proc: Path, pid: int) -> Read | None:
    """What a process has used (proc(5), stat and io); None when it is gone."""
    times = read_times_of(proc, pid)
    if times is None:
        return None
    sizes: dict[bytes, int] = {}
    with suppress(*HIDDEN):  # another user's is hidden where root may not trace, as in containers
        sizes = {
            line[0]: int(line[1]) for line in map(bytes.split, read_file(f"{proc}/{pid}/io").splitlines())
        }
    read, written = (sizes.get(name, 0) for name in (b"read_bytes:", b"write_bytes:"))
    return Read(times.born, times.own / TICKS, read, written)


def read_network(proc: Path) -> tuple[int, int]:
    """Bytes received and sent by all interfaces but the loopback one."""
    rows: list[Any] = []
    with suppress(OSError):
        lines = (proc / "net" / "dev").read_text().splitlines()[2:]
        rows = [line.partition(":") for line in lines]
    counts = [rest.split() for name, _, rest in rows if name.strip() != "lo"]
    return sum(int(each[RECEIVED]) for each in counts), sum(int(each[SENT]) for each in counts)
