"""Finds and kills what an earlier life of this host left running, by the mark in its environment."""

import contextlib
import os
import signal
from collections.abc import Container
from pathlib import Path

MARKER = "FNHOST_OWNER"
"""The variable that holds a host's mark in the environment of all that it starts."""


def kill_leftovers(owner: str) -> int:
    """Kill every process that carries our mark; returns how many there were.

    A function's own children outlive the parent-death signal, which only their direct parent's death sends.
    """
    mark = f"{MARKER}={owner}".encode()
    found = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and mark in _environment(folder).split(b"\0"):
            found += 1
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(folder.name), signal.SIGKILL)
    return found


def kill_users(uids: Container[int]) -> int:
    """Kill every process of these users; returns how many there were."""
    found = _processes(uids)
    for pid in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return len(found)


def has_processes(uids: Container[int]) -> bool:
    """Whether one of these users has a process."""
    return bool(_processes(uids))


def _processes(uids: Container[int]) -> list[int]:
    folders = (folder for folder in Path("/proc").iterdir() if folder.name.isdigit())
    return [int(folder.name) for folder in folders if _user(folder) in uids]


def _user(folder: Path) -> int:
    # Not whose its folder is: of a process that may not be looked into, that is root's.
    try:
        lines = (folder / "status").read_text().splitlines()
    except OSError:
        return -1
    return next(int(line.split()[1]) for line in lines if line.startswith("Uid:"))


def _environment(folder: Path) -> bytes:
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        # Not ours to read, or gone by now.
        return b""
