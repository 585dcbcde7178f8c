"""Names processes for a person: whose a port or a state folder is."""

from pathlib import Path

import psutil


def name_of(pid: int) -> str:
    """The name of a process's program, `?` when it cannot be known."""
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return "?"


def is_host(pid: int) -> bool:
    """Whether a process is a host, as far as its command line tells."""
    try:
        words = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return False
    return "fnhost" in words or "host.cli" in words


def listener(port: int) -> int | None:
    """The process that listens on a TCP port of this machine; None when that cannot be known."""
    try:
        found = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None
    listening = (each for each in found if each.status == psutil.CONN_LISTEN)
    return next((each.pid for each in listening if each.laddr[1:] == (port,) and each.pid), None)


def lock_holder(state: Path) -> int | None:
    """The host that has locked a state folder, as /proc/locks tells; None when there is none to be seen."""
    try:
        lock = (state / "host.lock").stat()
        lines = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    # `5: FLOCK  ADVISORY  WRITE 16248 fe:00:2867592 0 EOF`; `->` marks who waits for one.
    held = [line.split()[4:6] for line in lines if " FLOCK " in line and "->" not in line]
    # The kernel's number of the device is another one than stat's on some file systems.
    pids = [int(pid) for pid, place in held if place.split(":")[-1] == str(lock.st_ino)]
    return next((pid for pid in pids if is_host(pid)), None)
