"""Finds out what this machine has for boxes, in a few milliseconds, without changing anything."""

import ctypes
import errno
import functools
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from runtime.boxes.cgroups import Branches, find_branches
from runtime.boxes.reach import SEARCH, find_barrier
from runtime.boxes.taken_ids import free_blocks
from runtime.boxes.walls import Lack, Lacks

LANDLOCK_CREATE_RULESET = 444
"""The same number on every architecture (Linux, asm-generic/unistd.h)."""
VERSION = 1
PR_SET_SECCOMP, MODE_FILTER = 22, 2
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
KNOWN_TABLES = ("x86_64", "aarch64")
CHANGE_OWNER, OVERRIDE, KILL, SET_GID, SET_UID = 1 << 0, 1 << 1, 1 << 5, 1 << 6, 1 << 7
"""Capabilities (capability.h) that giving a function a user of its own takes."""
OPEN = 0o055
"""What others need to read a folder, and a group of the same number."""
CHILD_LIMIT = 10.0
UNSHARE = f"import ctypes; raise SystemExit(ctypes.CDLL(None).unshare({CLONE_NEWUSER | CLONE_NEWNET}) != 0)"
CONTAINER = "or, in a container, another runtime's profile (`--security-opt seccomp=...`) that allows it"


@dataclass(frozen=True)
class Machine:
    """`lacks` are the walls that cannot be put up here; `branches` where cgroups can be made."""

    lacks: Lacks
    branches: Branches

    def has(self, wall: str) -> bool:
        """Whether this wall can be put up, as far as can be told beforehand."""
        return wall not in self.lacks


def probe_machine(state: Path, uids: range) -> Machine:
    """Look at kernel, privileges and cgroups, for a host with this state folder and these user ids."""
    branches, lacks = find_branches()
    probes: dict[str, Callable[[], Lack | None]] = {
        "landlock": _probe_landlock,
        "seccomp": _probe_seccomp,
        "uid": lambda: _probe_uid(state, uids),
        "namespace": _probe_namespace,
    }
    found = {wall: lack for wall, probe in probes.items() if (lack := probe()) is not None}
    return Machine({**found, **lacks}, branches)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _probe_landlock() -> Lack | None:
    if _libc().syscall(ctypes.c_long(LANDLOCK_CREATE_RULESET), None, ctypes.c_size_t(0), VERSION) > 0:
        return None
    number = ctypes.get_errno()
    if number == errno.EOPNOTSUPP:
        return Lack("Landlock is switched off", "add `landlock` to `lsm=` on the kernel's command line")
    if number == errno.ENOSYS:
        return Lack("the kernel has no Landlock", f"use Linux 5.13 or newer, built with it, {CONTAINER}")
    return Lack(f"Landlock is refused ({os.strerror(number)})", f"allow its system calls, {CONTAINER}")


def _probe_seccomp() -> Lack | None:
    if platform.machine() not in KNOWN_TABLES:
        return Lack(f"no table of system calls for {platform.machine()}", "use x86-64 or aarch64")
    # Without a filter the kernel that knows how says that the address is bad (seccomp(2)).
    _libc().prctl(PR_SET_SECCOMP, MODE_FILTER, None, 0, 0)
    if (number := ctypes.get_errno()) in (errno.EFAULT, errno.EACCES):
        return None
    return Lack(f"the kernel takes no filter ({os.strerror(number)})", "use one with CONFIG_SECCOMP_FILTER")


def _probe_uid(state: Path, uids: range) -> Lack | None:
    if os.geteuid() != 0:
        return Lack("the host is not root", "run it as root to give each function a user of its own")
    needed = CHANGE_OWNER | OVERRIDE | KILL | SET_GID | SET_UID
    if _capabilities() & needed != needed:
        lacking = "CHOWN, DAC_OVERRIDE, KILL, SETGID and SETUID"
        return Lack("the host's root lacks capabilities", f"give the container {lacking}")
    if not any(first <= uids.start and uids.stop <= first + count for first, count in _mapped()):
        what = f"user ids {uids.start} to {uids.stop - 1} do not exist in this user namespace"
        return Lack(what, "map them, or set `isolation.uids` to ids that exist")
    free, taken = free_blocks(uids)
    if not free:
        return Lack(
            f"user ids of functions are others': {taken}", "set `isolation.uids` to ids that are free"
        )
    if (umask := _umask()) & OPEN:
        return Lack(f"with the umask {umask:03o} functions' users reach nothing", "start it with umask 022")
    if barrier := find_barrier(state, uids.start, SEARCH):
        return Lack(f"functions' users cannot reach the state folder: {barrier}", "open it, or use --state")
    return None


def _probe_namespace() -> Lack | None:
    if os.geteuid() == 0:
        refused = _unshare_in_thread()
    else:
        refused = subprocess.run(
            [sys.executable, "-I", "-S", "-c", UNSHARE],
            check=False,
            timeout=CHILD_LIMIT,
            stderr=subprocess.DEVNULL,
        ).returncode
    if not refused:
        return None
    return Lack(
        "network namespaces are refused",
        "seccomp keeps functions with `network: none` offline all the same; a container may lack SYS_ADMIN",
    )


def _unshare_in_thread() -> int:
    # A thread has a network namespace of its own, so one that ends is child enough to try it.
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(_libc().unshare(CLONE_NEWNET)))
    thread.start()
    thread.join()
    return results[0]


def _capabilities() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapEff:"))


def _umask() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1], 8) for line in lines if line.startswith("Umask:")), 0)


def _mapped() -> list[tuple[int, int]]:
    rows = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return [(int(first), int(count)) for first, _, count in rows]
