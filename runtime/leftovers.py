"""Finds and kills what an earlier life of this host left running, by the mark in its environment."""

import contextlib
import os
import signal
from pathlib import Path

from runtime.process import MARKER


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


def _environment(folder: Path) -> bytes:
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        # Not ours to read, or gone by now.
        return b""
