"""Knows the errors of a disk that is full, and says which disk it is and what to do about it."""

import errno
import shutil
import sqlite3
import tempfile
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
FULL = "The disk is full"
"""The title of the problem that tells of it (RFC 9457)."""
NEEDED = 6 * 1024 * 1024
"""Bytes without which the host cannot start: some 4 MiB for what instances import, the rest for databases."""


def is_out_of_room(error: BaseException) -> bool:
    """Whether an error says that nothing more can be written; of a tree that is copied, its first one."""
    if isinstance(error, shutil.Error):
        return bool(error.args) and any(f"[Errno {code}]" in str(error.args[0]) for code in NO_ROOM)
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, sqlite3.Error) and code == sqlite3.SQLITE_FULL


def tell_full(folder: Path) -> str:
    """What to say of a disk without room, and how to see what takes it."""
    return f"the disk of {folder} is full: free some of it (`du -xhd 2 {folder} | sort -h | tail`)"


def tell_refused(state: Path) -> str:
    """What a caller is told of a full disk of the host whose state folder is `state`."""
    return f"{tell_full(state)}, or `fnhost remove` functions; what ran before goes on"


def tell_full_temporary() -> str:
    """What to say where a command's own scratch folder has no room."""
    return f"the disk of {tempfile.gettempdir()} is full: free some of it, or set TMPDIR to another disk"


def tell_scratch(error: OSError) -> str:
    """What to say of an error in, or on the way to, a command's own scratch folder."""
    return tell_full_temporary() if is_out_of_room(error) else f"{tell_cause(error)}; mend that first"


def tell_cause(error: OSError) -> str:
    """`PATH: why`, in one line; of a tree that is copied, what its first file met."""
    if isinstance(error, shutil.Error):
        return str(error.args[0][0][-1] if isinstance(error.args[0], list) else error)
    told = error.strerror or str(error)
    return f"{error.filename}: {told}" if error.filename else told
