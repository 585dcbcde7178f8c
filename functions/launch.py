"""Becomes another program, which dies with its parent: `python -I -S launch.py PARENT_PID COMMAND...`."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def launch(parent: int, command: list[str]) -> None:
    """Replace this process by `command`, which gets SIGKILL when `parent` dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above; the signal will not come
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - there is no shell


if __name__ == "__main__":
    launch(int(sys.argv[1]), sys.argv[2:])
