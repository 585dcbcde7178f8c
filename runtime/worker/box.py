"""What confines an arbiter and its instances before either touches a byte of the package.

The order matters: the parent-death signal is set last, and the parent is looked at after it, since it may
have died in between (prctl(2), PR_SET_PDEATHSIG).
"""

import ctypes
import functools
import os
import resource
import signal

from .box_plan import BoxPlan

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_NO_NEW_PRIVS = 38


class BoxError(Exception):
    """A wall of the box could not be put up."""


def enter_box(parent: int, plan: BoxPlan) -> dict[str, str | None]:
    """Confine this process, and with it all that it will fork; `parent` is the pid that must still be ours.

    Returns the walls by name: None for one that stands, else why it does not.
    """
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, plan.open_files)
    if plan.memory is not None:
        _limit(resource.RLIMIT_DATA, plan.memory)
    die_with(parent)
    return {"no_new_privs": None, "limits": None}


def die_with(parent: int) -> None:
    """Ask for SIGKILL at the parent's death; leave at once when it is dead already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def name_process(name: str) -> None:
    """Set the name that `top` and `ps` show (15 bytes at most are kept)."""
    _prctl(PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]))


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, argument: "int | ctypes.c_char_p") -> None:
    if _libc().prctl(option, argument, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise BoxError(f"prctl({option}) failed: {os.strerror(number)}")
