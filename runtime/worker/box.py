"""What confines an arbiter and its instances before either touches a byte of the package.

The order matters: what needs privileges comes before they are given up, and the calls that are used for it
are forbidden after that. The parent-death signal is set last, since a change of the user clears it, and the
parent is looked at after it, since it may have died in between (prctl(2), PR_SET_PDEATHSIG).
"""

import os
import resource
import signal
from collections.abc import Callable, Iterable

from .box_plan import BoxPlan, Report
from .walls import identity, landlock, seccomp
from .walls.kernel import BoxError, prctl, syscall
from .walls.syscalls import number_of

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_NO_NEW_PRIVS = 38
FIRST_FREE = 3
ALL_FDS = 2**32 - 1
PRIVATE = 0o077


def close_others(keep: int) -> None:
    """Close what was inherited beside the standard streams and `keep`."""
    for first, last in ((FIRST_FREE, keep - 1), (keep + 1, ALL_FDS)):
        if first <= last:
            _close_range(first, last)


def enter_box(parent: int, plan: BoxPlan) -> Report:
    """Confine this process, and with it all that it will fork; `parent` is the pid that must still be ours.

    Returns the walls that the plan asks for by name: None for one that stands, else why it does not. Raises
    BoxError when going on would be less safe than having put up nothing.
    """
    walls = {
        "no_new_privs": _try(lambda: prctl(PR_SET_NO_NEW_PRIVS, 1)),
        "limits": _try(lambda: _limit(plan)),
    }
    if plan.namespace:
        walls["namespace"] = _try(lambda: identity.leave_network(plan.uid is None))
    if plan.landlock:
        walls["landlock"] = _try(lambda: landlock.restrict_files(plan.reads, plan.writes, plan.network))
    if plan.uid is not None:
        walls["uid"] = _try(lambda: _become(plan))
    if os.geteuid() == 0 and (plan.landlock or plan.seccomp):
        identity.weaken_root()
    if plan.seccomp:
        walls["seccomp"] = _try(lambda: seccomp.deny_calls(plan.network))
    die_with(parent)
    return walls


def enter_instance(parent: int, plan: BoxPlan) -> None:
    """Confine a process that was just forked in the box, of whose walls the plan has those that stand.

    Raises BoxError when it cannot be: the box around it could be.
    """
    die_with(parent)
    try:
        if plan.landlock:
            landlock.stand_alone()
        if plan.seccomp and not plan.forks:
            seccomp.deny_processes(os.getpid())
    except OSError as error:
        raise BoxError(f"the instance's own box cannot be put up: {error.strerror}") from None


def check_reach(paths: Iterable[str]) -> None:
    """Open each file or folder that exists; raises BoxError with the path and what keeps us from it."""
    for path in paths:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise BoxError(
                f"the box does not let user {os.getuid()} read {path}: {_why(path, error)}"
            ) from None


def die_with(parent: int) -> None:
    """Ask for SIGKILL at the parent's death; leave at once when it is dead already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def name_process(name: str) -> None:
    """Set the name that `top` and `ps` show (15 bytes at most are kept)."""
    prctl(PR_SET_NAME, name.encode()[:15])


def _try(put_up: Callable[[], object]) -> str | None:
    try:
        put_up()
    except (OSError, ValueError) as error:
        return str(error)
    return None


def _become(plan: BoxPlan) -> None:
    assert plan.uid is not None
    identity.become_user(plan.uid)
    os.umask(PRIVATE)
    # It counts by user, and would count the host's own processes for any other one.
    _set_limit(resource.RLIMIT_NPROC, plan.processes)


def _limit(plan: BoxPlan) -> None:
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_NOFILE, plan.open_files)
    _set_limit(resource.RLIMIT_DATA, plan.memory)
    _set_limit(resource.RLIMIT_FSIZE, plan.file_size)
    if plan.uid is None:
        _set_limit(resource.RLIMIT_NPROC, plan.processes)


def _set_limit(kind: int, value: int | None) -> None:
    if value is None:
        return
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(kind, (value, value))


def _close_range(first: int, last: int) -> None:
    try:
        syscall(number_of("close_range"), first, last, 0)
    except OSError:
        # Before Linux 5.9, or on a machine that has no table.
        os.closerange(first, min(last, resource.getrlimit(resource.RLIMIT_NOFILE)[0]))


def _why(path: str, error: OSError) -> str:
    above = path
    while (above := os.path.dirname(above)) not in ("", "/"):
        if os.path.isdir(above) and not os.access(above, os.X_OK):
            return f"it may not pass {above}; make that folder 0755, or keep this elsewhere"
    return f"{error.strerror}"
