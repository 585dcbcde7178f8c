"""Control groups of either version: where they can be made here, and one for each pool.

What the files mean is in the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runtime.boxes.walls import Lack, Lacks

CONTROLLERS = ("memory", "cpu", "pids")
PREFIX = "fnhost-"
HOST = "fnhost-host"
PERIOD = 100_000
"""Microseconds over which a quota of processor time counts; the kernel's own default."""
REMOVE_FOR = 5.0
LOOK_AGAIN = 0.02
STALE_AFTER = 3600.0
"""Seconds after which an empty group is nobody's: between its making and its joining are milliseconds."""
SERVICE = "run the host as root, or under systemd with `Delegate=yes`; a container needs them writable"
KERNEL_LINE = (
    "`cgroup_enable=memory cgroup_memory=1` on the kernel's command line where it is off, `Delegate=yes`"
)


@dataclass(frozen=True)
class Branch:
    """The folder below which groups of one controller can be made; `unified` is version 2."""

    folder: Path
    unified: bool


Branches = dict[str, Branch]


@dataclass(frozen=True)
class GroupLimits:
    """Bytes, cores, and the number of processes with their threads; None: no bound."""

    memory: int | None
    cores: float | None
    tasks: int


def find_branches(proc: Path = Path("/proc")) -> tuple[Branches, Lacks]:
    """Where groups can be made by this process, by controller, and why the others cannot be had."""
    branches: Branches = {}
    lacks: dict[str, Lack] = {}
    for controller in CONTROLLERS:
        branch = _find_branch(proc, controller)
        if isinstance(branch, Branch):
            branches[controller] = branch
        else:
            lacks[f"cgroup-{controller}"] = branch
    return branches, lacks


def _find_branch(proc: Path, controller: str) -> Branch | Lack:
    unified: Branch | None = None
    for mount, root, options in _mounts(proc):
        if options is None:
            unified = Branch(_own_folder(mount, root, _own_path(proc, "")), True)
        elif controller in options:
            folder = _own_folder(mount, root, _own_path(proc, controller))
            return Branch(folder, False) if os.access(folder, os.W_OK) else _closed(folder)
    if unified is None:
        return Lack("no control groups are mounted", "mount cgroup2 at /sys/fs/cgroup")
    if controller not in _words(unified.folder / "cgroup.controllers"):
        return Lack(f"{unified.folder} has no {controller} controller", KERNEL_LINE)
    writable = all(
        os.access(unified.folder / name, os.W_OK) for name in ("", "cgroup.procs", "cgroup.subtree_control")
    )
    return unified if writable else _closed(unified.folder)


def _closed(folder: Path) -> Lack:
    return Lack(f"{folder} cannot be written", SERVICE)


def _mounts(proc: Path) -> Iterator[tuple[Path, str, list[str] | None]]:
    """Mount point, its root within the hierarchy, and the controllers; None for version 2."""
    for line in (proc / "self" / "mountinfo").read_text().splitlines():
        before, _, after = line.partition(" - ")
        fields, (kind, _, options) = before.split(), after.split(maxsplit=2)
        if kind in ("cgroup", "cgroup2"):
            yield Path(fields[4]), fields[3], options.split(",") if kind == "cgroup" else None


def _own_path(proc: Path, controller: str) -> str:
    for line in (proc / "self" / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path
    return "/"


def _own_folder(mount: Path, root: str, path: str) -> Path:
    # In a container the path may be one of the outside, and the mount's root is where we are.
    inside = os.path.relpath(path, root)
    return mount if inside.startswith("..") else mount / inside


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


class Cgroups:
    """The groups of one host's pools, side by side below the host's own; `mark` tells them from others'."""

    def __init__(self, branches: Branches, mark: str) -> None:
        self._branches = branches
        self._prefix = f"{PREFIX}{mark[:12]}-"

    def prepare(self) -> Lacks:
        """Make version 2 hand its controllers down; returns what cannot be had after all."""
        lacks = {}
        for name, branch in list(self._branches.items()):
            if branch.unified and (lack := _hand_down(branch.folder, name)):
                lacks[f"cgroup-{name}"] = lack
                del self._branches[name]
        return lacks

    def clear(self) -> int:
        """Kill what an earlier life left in its groups, and remove them; returns how many were killed."""
        killed = 0
        for folder in {branch.folder for branch in self._branches.values()}:
            for left in folder.glob(f"{self._prefix}*"):
                killed += len(_words(left / "cgroup.procs"))
                _remove(left)
            _remove_stale(folder)
        return killed

    def group(self, label: str) -> "Cgroup":
        """The group of one pool, which is not made yet."""
        return Cgroup(self._branches, self._prefix + label)


class Cgroup:
    """One pool's folders. Every method blocks: joining one takes the kernel up to 15 ms."""

    def __init__(self, branches: Branches, name: str) -> None:
        self._folders = {
            each: Branch(branch.folder / name, branch.unified) for each, branch in branches.items()
        }
        self._killed = 0

    def join(self, pid: int, limits: GroupLimits) -> dict[str, str]:
        """Make it and put a process into it; returns the walls that do not stand, and why."""
        failed = {}
        for controller, branch in self._folders.items():
            try:
                branch.folder.mkdir(exist_ok=True)
                for name, value in _settings(controller, branch, limits):
                    (branch.folder / name).write_text(value)
                (branch.folder / "cgroup.procs").write_text(str(pid))
            except OSError as error:
                failed[f"cgroup-{controller}"] = f"{branch.folder}: {error.strerror}"
        return failed

    def new_memory_kills(self) -> int:
        """How many of its processes the kernel has killed for want of memory since the last time."""
        before, self._killed = self._killed, self._count_kills()
        return self._killed - before

    def _count_kills(self) -> int:
        branch = self._folders.get("memory")
        if branch is None:
            return 0
        words = _words(branch.folder / ("memory.events" if branch.unified else "memory.oom_control"))
        found = dict(zip(words[::2], words[1::2], strict=False))
        return int(found.get("oom_kill", self._killed))

    def kill(self) -> None:
        """Kill what is in it now; does not wait for it to be gone."""
        for folder in dict.fromkeys(branch.folder for branch in reversed(self._folders.values())):
            with contextlib.suppress(OSError):
                _kill_all(folder)

    def remove(self) -> bool:
        """Kill what is left in it, and remove it; False when something in it does not die."""
        # That of the number of processes is the last one, and so the first here: it stops forking.
        folders = dict.fromkeys(branch.folder for branch in reversed(self._folders.values()))
        removed = [_remove(folder) for folder in folders]
        return all(removed)


def _settings(controller: str, branch: Branch, limits: GroupLimits) -> Iterator[tuple[str, str]]:
    if controller == "pids":
        yield "pids.max", str(limits.tasks)
    elif controller == "memory" and limits.memory is not None:
        yield ("memory.max" if branch.unified else "memory.limit_in_bytes"), str(limits.memory)
        # Else it would go on in the swap space, at the expense of all.
        swap, most = (
            ("memory.swap.max", 0) if branch.unified else ("memory.memsw.limit_in_bytes", limits.memory)
        )
        if (branch.folder / swap).exists():
            yield swap, str(most)
    elif controller == "cpu" and limits.cores is not None:
        quota = max(1000, int(limits.cores * PERIOD))
        yield ("cpu.max", f"{quota} {PERIOD}") if branch.unified else ("cpu.cfs_quota_us", str(quota))


def _hand_down(folder: Path, controller: str) -> Lack | None:
    control = folder / "cgroup.subtree_control"
    if controller in _words(control):
        return None
    try:
        # A group that hands controllers down may have no process of its own, so the host moves aside.
        (folder / HOST).mkdir(exist_ok=True)
        (folder / HOST / "cgroup.procs").write_text(str(os.getpid()))
        control.write_text(f"+{controller}")
    except OSError as error:
        why = f"{folder} does not hand its {controller} controller down ({error.strerror})"
        return Lack(why, "give the host a group of its own: a systemd unit with `Delegate=yes`")
    return None


def _remove_stale(folder: Path) -> None:
    """Remove empty groups of hosts that were killed and never came back; with a process in it, none goes."""
    for left in folder.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if left.stat().st_mtime < time.time() - STALE_AFTER:
                left.rmdir()


def _remove(folder: Path) -> bool:
    limit = time.monotonic() + REMOVE_FOR
    while folder.is_dir():
        with contextlib.suppress(OSError):
            folder.rmdir()
            return True
        if time.monotonic() >= limit:
            return False
        _kill_all(folder)
        time.sleep(LOOK_AGAIN)
    return True


def _kill_all(folder: Path) -> None:
    """The kernel's own way where it has one, else one by one while no more can be forked."""
    with contextlib.suppress(OSError):
        if (folder / "cgroup.kill").exists():
            (folder / "cgroup.kill").write_text("1")
            return
        if (folder / "pids.max").exists():
            (folder / "pids.max").write_text("0")
    for pid in _words(folder / "cgroup.procs"):
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(pid), signal.SIGKILL)
