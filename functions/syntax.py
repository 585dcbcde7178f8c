"""Finds a syntax error in a package's entry module without running it."""

import json
import subprocess
import sys
from pathlib import Path

from functions import compile_check
from functions.errors import PackageError

LONGEST_SOURCE = 16 * 1024 * 1024
TIME_LIMIT = 20.0


def check_syntax(root: Path, source: Path, python: str | None) -> None:
    """Raise PackageError `index.py:12: invalid syntax` when `source` does not compile.

    `python` is the version that will run it ("3.12", None for the host's own). Another version's grammar is
    not known here: then nothing is checked, and its interpreter finds the fault when the pool starts.
    """
    name = source.relative_to(root).as_posix()
    if source.stat().st_size > LONGEST_SOURCE:
        raise PackageError(f"{name} is longer than {LONGEST_SOURCE} bytes; move its data into files", name)
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python is not None and python.split(".")[:2] != own.split("."):
        return
    fault = _compile(source, name)
    if fault is not None:
        line = f":{fault['line']}" if fault["line"] else ""
        raise PackageError(f"{name}{line}: {fault['message']}", name)


def _compile(source: Path, name: str) -> dict[str, object] | None:
    # In a process of its own: CPython's compiler can be made to exhaust the stack.
    command = [sys.executable, "-I", "-S", "-W", "ignore", compile_check.__file__, str(source)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT, check=True, env={})
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise PackageError(f"{name} is too complicated to compile; simplify it", name) from None
    fault: dict[str, object] | None = json.loads(done.stdout)
    return fault
