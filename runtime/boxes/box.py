"""The box of one pool: what the host does of it, and what the arbiter is told to do by itself."""

import contextlib
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from conf.isolation import LEVELS, Level
from conf.quantities import say_size
from functions.trees import delete_tree
from runtime.boxes.cgroups import Cgroup, Cgroups, GroupLimits
from runtime.boxes.folders import delete_shared_memory, make_passage, make_private
from runtime.boxes.places import DISCARD, SHARED_MEMORY, interpreter_reads, system_reads
from runtime.boxes.reach import READ, SEARCH, WRITE, find_barrier
from runtime.boxes.tasks import count_tasks
from runtime.boxes.uids import NoUidError, Uids
from runtime.boxes.walls import Lacks, asked, reached, say_missing
from runtime.spec import MIB, PoolSpec
from runtime.worker.box_plan import BoxPlan, Report

LARGEST_FILE = 1024 * MIB
"""A function may write no larger one: flash cards are small, and a result has other ways."""
TASKS_PER_INSTANCE = 64
TASKS_PER_PROCESS = 16
ARBITER_TASKS = 16
ROOM_FOR_OTHERS = 4096
OFFERED = 500
"""As if it took half of the machine's memory more."""


@dataclass(frozen=True)
class BoxGrounds:
    """What boxes are made of on this machine; `lacks` are the walls that no box here has.

    `folder` is for temporary files, a folder for each pool, `pythons` for copies of interpreters that users
    of functions cannot reach. `code` is what every arbiter imports beside the function's own, `worker` the
    part of it that puts up boxes. `memory` bounds, in bytes, each pool that has no bound of its own.
    """

    folder: Path
    pythons: Path
    code: tuple[Path, ...]
    worker: Path
    lacks: Lacks
    level: str = "best"
    least: Level = "none"
    uids: Uids | None = None
    cgroups: Cgroups | None = None
    memory: int | None = None


def standing_walls(report: Report) -> set[str]:
    """Those of which nothing is said but their names."""
    return {wall for wall, why in report.items() if why is None}


def say_out_of_memory(limit: int | None) -> str:
    """Why a process was killed; `limit` is that of its pool, in bytes."""
    whose = f"the pool's limit of {say_size(limit)}" if limit else "the machine has none left"
    return f"out of memory: {whose}"


class Box:
    """What confines one arbiter and its instances. `enter` and `leave` block, and are run in a thread.

    `report` tells of the walls that are the host's to put up, and of those that cannot be asked for.
    """

    def __init__(self, spec: PoolSpec) -> None:
        self.spec = spec
        self.report: dict[str, str | None] = {}

    @property
    def temporary(self) -> Path:
        """The folder of temporary files."""
        return self.spec.output_dir

    def enter(self, pid: int) -> BoxPlan:
        """Make what the box needs and put the arbiter, which waits for its plan, into it; raises OSError.

        Returns what the arbiter is to confine itself with.
        """
        return BoxPlan(memory=self.spec.memory)

    def give(self, folder: Path) -> None:
        """Make a folder below those that the box may write to its own. Blocks; raises OSError."""

    def find_refusal(self, report: Report) -> str | None:
        """Why a box with these walls is too weak to run anything in it."""
        return None

    def find_surprise(self, report: Report) -> str | None:
        """What a box with these walls lacks although this machine has it."""
        return None

    def why_killed(self) -> str | None:
        """Whether the kernel has just killed one of its processes for want of memory, in words."""
        return None

    def kill(self) -> None:
        """Kill all that is in it now, as far as it knows what that is; does not wait."""

    def leave(self) -> None:
        """Clean up after an arbiter that has ended, with all that it started."""


def _offer_first(pid: int) -> None:
    """Where the machine runs out of memory, have the kernel end functions before the host (proc(5))."""
    with contextlib.suppress(OSError, ValueError):
        own = int(Path("/proc/self/oom_score_adj").read_text())
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(min(1000, own + OFFERED)))


class FullBox(Box):
    """A box with all the walls that the machine has and the config asks for."""

    def __init__(self, spec: PoolSpec, grounds: BoxGrounds, number: int) -> None:
        super().__init__(spec)
        self._grounds = grounds
        self._asked = asked(grounds.level)
        name = f"{spec.label}.{number}"
        self._temporary = grounds.folder / name
        self._cgroup = self._choose_group(name)
        # It may end before it has been entered, or while it is.
        self._turn = threading.Lock()
        self._left = False
        self._user: int | None = None

    def _choose_group(self, name: str) -> Cgroup | None:
        wanted = any(wall.startswith("cgroup-") for wall in self._asked)
        return self._grounds.cgroups.group(name) if self._grounds.cgroups is not None and wanted else None

    @property
    def temporary(self) -> Path:
        return self._temporary

    def enter(self, pid: int) -> BoxPlan:
        with self._turn:
            if self._left:
                return BoxPlan()
            self.report |= {wall: str(lack) for wall, lack in self._missing().items()}
            uid, why = self._choose_user()
            if why is not None:
                self.report.setdefault("uid", why)
            if (uids := self._grounds.uids) is not None and uid is not None:
                uids.begin(uid)
            self._user = uid
            _offer_first(pid)
            make_private(self._temporary, uid)
            if self.spec.isolation == "subinterpreter":
                # Each function that comes into it has a folder there, which it is given then.
                make_passage(self.spec.output_dir)
            else:
                make_private(self.spec.output_dir, uid)
            self._join(pid)
            return self._plan(uid)

    def give(self, folder: Path) -> None:
        make_private(folder, self._user)

    def _missing(self) -> Lacks:
        needless = {"namespace"} if self.spec.network else set()
        lacks = self._grounds.lacks
        return {wall: lack for wall, lack in lacks.items() if wall in self._asked - needless}

    def _choose_user(self) -> tuple[int | None, str | None]:
        """A user id, or None and why; where none is asked for, there is no reason either."""
        if "uid" not in self._asked or self._grounds.uids is None:
            return None, None
        try:
            uid = self._grounds.uids.uid(self.spec.function)
        except NoUidError as error:
            return None, str(error)
        for path, rights in self._places():
            if barrier := find_barrier(path, uid, rights):
                return None, barrier
        return uid, None

    def _places(self) -> list[tuple[Path, int]]:
        needed = [(path, READ) for path in self._own_reads()]
        # What is below may be all that is meant: the folder of all packages cannot be listed. What only the
        # package names weakens no box: the arbiter does not start where it cannot read that.
        listed = {path for path in self.spec.reads if str(path) in self.spec.python_path}
        searched = {path for path in self.spec.reads if path.is_dir()} - listed
        opened = [(path, SEARCH if path in searched else READ) for path in self.spec.reads]
        return needed + opened + [(path, READ | WRITE) for path in self.spec.writes]

    def _own_reads(self) -> tuple[Path, ...]:
        spec = self.spec
        return (spec.package_dir, *interpreter_reads(spec.python, spec.program), *self._grounds.code)

    def _join(self, pid: int) -> None:
        if self._cgroup is not None:
            limits = GroupLimits(self.spec.memory or self._grounds.memory, self.spec.cpu_max, self._tasks())
            failed = self._cgroup.join(pid, limits)
            stand = {wall: None for wall in self._asked if wall.startswith("cgroup-")}
            self.report = {**stand, **self.report, **failed}

    def _tasks(self) -> int:
        """Processes and threads of the whole pool; libraries start more threads than they say."""
        spec = self.spec
        each = TASKS_PER_INSTANCE + spec.concurrency + 4 * spec.threads
        children = spec.processes * (TASKS_PER_PROCESS + 4 * spec.threads)
        return ARBITER_TASKS + max(1, spec.scale.max) * (each + children)

    def _most_tasks(self, uid: int | None) -> int | None:
        """What may run under the pool's user at a time."""
        if uid is not None:
            # A revision that drains and its successor are one user.
            return 2 * self._tasks()
        if os.geteuid() == 0 or "cgroup-pids" not in self._grounds.lacks:
            return None
        # They share the host's user, and whatever else that runs counts too: this only bounds a fork bomb.
        return count_tasks(os.geteuid()) + ROOM_FOR_OTHERS

    def _plan(self, uid: int | None) -> BoxPlan:
        spec = self.spec
        puts_up = {wall for wall in self._asked if wall not in self._grounds.lacks}
        seccomp = "seccomp" in puts_up
        return BoxPlan(
            uid=uid,
            landlock="landlock" in puts_up,
            seccomp=seccomp,
            network=spec.network,
            namespace="namespace" in puts_up and not spec.network,
            forks=spec.processes > 0,
            reads=(*system_reads(), *map(str, (*self._own_reads(), *spec.reads))),
            writes=self._writes(),
            memory=spec.memory,
            file_size=LARGEST_FILE if "limits" in puts_up else None,
            processes=self._most_tasks(uid),
        )

    def _writes(self) -> tuple[str, ...]:
        own = (self.spec.output_dir, self._temporary, *self.spec.writes)
        return (*map(str, own), DISCARD, *([SHARED_MEMORY] if self.spec.processes else []))

    def find_refusal(self, report: Report) -> str | None:
        standing, least = standing_walls(report), self._grounds.least
        level = reached(standing)
        if LEVELS.index(level) >= LEVELS.index(least):
            return None
        what = say_missing(least, standing, report)
        return f"its box is only {level}, and `isolation.min` is {least}: {what}"

    def find_surprise(self, report: Report) -> str | None:
        missing = [
            f"{wall} ({why})" for wall, why in report.items() if why and wall not in self._grounds.lacks
        ]
        told = [f"its box lacks what this machine has: {', '.join(missing)}"] if missing else []
        closed = [path for path in self.spec.python_path if not self._is_open(Path(path))]
        if closed and "landlock" in standing_walls(report):
            told.append(
                f"`python_path` is closed to it until `reads: [{', '.join(closed)}]` in the config opens it"
            )
        return "; ".join(told) or None

    def _is_open(self, path: Path) -> bool:
        opened = (*self.spec.reads, *self.spec.writes, *map(Path, system_reads()))
        return any(path.is_relative_to(each) for each in opened)

    def why_killed(self) -> str | None:
        if self._cgroup is None or not self._cgroup.new_memory_kills():
            return None
        if self.spec.memory is None and (most := self._grounds.memory) is not None:
            return f"out of memory: all functions may take {say_size(most)} (`limits.memory`)"
        return say_out_of_memory(self.spec.memory)

    def kill(self) -> None:
        if self._cgroup is not None:
            self._cgroup.kill()

    def leave(self) -> None:
        with self._turn:
            self._left = True
            if self._cgroup is not None:
                self._cgroup.remove()
            # What stays is deleted at the next start.
            delete_tree(self._temporary)
            if (uids := self._grounds.uids) is not None and self._user is not None:
                uids.end(self._user, delete_shared_memory)
