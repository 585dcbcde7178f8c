"""Becomes another program, which dies with its parent: `python -I -S launch.py PARENT_PID COMMAND...`.

With `--boxed FOLDER PLAN` before the command, this process is boxed in first by the code in that folder, as
the JSON in PLAN says, and stays as its parent: what the command leaves running ends with it.
"""

import ctypes
import importlib
import importlib.util
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
BOXED = "--boxed"
PRIVATE_NAME = "_fnhost_worker"


def launch(parent: int, command: list[str]) -> None:
    """Replace this process by `command`, which gets SIGKILL when `parent` dies and no more privileges."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if command[0] == BOXED:
        _enter_box(parent, command[1], command[2])
        sys.exit(_look_after(command[3:]))
    _become(parent, command)


def _become(parent: int, command: list[str]) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above; the signal will not come
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - there is no shell


def _look_after(command: list[str]) -> int:
    """Run it to its end, then kill what it has started and left; returns its exit code."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    us, child, code = os.getpid(), os.fork(), None
    if not child:
        _become(us, command)
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return code or 0
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
        if code is not None:
            _kill_children(us)


def _kill_children(us: int) -> None:
    # As bytes: the box may keep our own interpreter's codecs from us.
    with open(f"/proc/{us}/task/{us}/children", "rb") as file:
        for pid in file.read().split():
            os.kill(int(pid), signal.SIGKILL)


def _enter_box(parent: int, folder: str, plan: str) -> None:
    path = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(PRIVATE_NAME, path, submodule_search_locations=[folder])
    if spec is None or spec.loader is None:
        sys.exit(f"{folder} is not readable")
    sys.modules[PRIVATE_NAME] = importlib.util.module_from_spec(spec)
    box = importlib.import_module(f"{PRIVATE_NAME}.box")
    box_plan = importlib.import_module(f"{PRIVATE_NAME}.box_plan")
    walls = box.enter_box(parent, box_plan.BoxPlan(**json.loads(plan)))
    for wall, why in walls.items():
        if why is not None:
            sys.stderr.write(f"the build's box lacks {wall}: {why}\n")


if __name__ == "__main__":
    launch(int(sys.argv[1]), sys.argv[2:])
