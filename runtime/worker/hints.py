"""Says of an error that the box caused which setting would allow what was tried."""

import errno
import linecache
import os

from .box_plan import BoxPlan


def hint_for(error: BaseException, box: BoxPlan) -> str:
    """A sentence for the function's author; empty where the box, of walls that stand, had no part in it."""
    if not isinstance(error, OSError):
        return ""
    if error.errno == errno.EPERM and box.seccomp and not box.forks and _starts_process(error):
        return "the box lets the function start no process; `processes: 1` in function.yaml does"
    if error.errno == errno.EAFNOSUPPORT and box.seccomp and not box.network:
        return "the box has no network, as `network: none` says"
    if error.errno == errno.EACCES and box.landlock and isinstance(error.filename, str):
        return _hint_for_path(os.path.realpath(error.filename), box)
    return ""


def _starts_process(error: OSError) -> bool:
    """Whether the line that asked the kernel says so: that is Python's own, or the package's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    line = linecache.getline(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    return "fork" in line or "spawn" in line


def _hint_for_path(path: str, box: BoxPlan) -> str:
    if _is_below(path, box.writes):
        return ""
    if not _is_below(path, box.reads):
        return f"the box does not let the function read {path}; `reads:` in the config does"
    # access(2) does not see Landlock: where it refuses, the box is not what is in the way.
    if not os.access(path if os.path.exists(path) else os.path.dirname(path), os.W_OK):
        return ""
    return f"the box lets the function only read {path}; `writes:` in the config changes that"


def _is_below(path: str, allowed: tuple[str, ...]) -> bool:
    folders = (os.path.realpath(each) for each in allowed)
    return any(path == each or path.startswith(f"{each.rstrip('/')}/") for each in folders)
