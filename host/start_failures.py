"""Says in one sentence why the host cannot start, and what to do about it."""

import errno
import shutil
import sqlite3
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def explain_start(error: Exception, state: Path) -> str:
    """What ended the start of the host whose state folder is `state`, and the next thing to do."""
    for each in (error, error.__cause__):
        if each is not None and is_out_of_room(each):
            return (
                f"the disk of {state} is full: free some of it (`du -xhd 2 {state} | sort -h | tail`), or"
                " choose another folder with --state"
            )
    if isinstance(error, shutil.Error):
        *_, why = error.args[0][0]
        return f"{state} cannot be used: {why}; `fnhost doctor --state {state}` looks into it"
    if isinstance(error, OSError):
        where = f" {error.filename}" if error.filename else ""
        told = error.strerror or error
        return f"the host cannot start:{where} {told}; `fnhost doctor --state {state}` looks into it"
    return str(error)


def is_out_of_room(error: BaseException) -> bool:
    """Whether an error says that nothing more can be written; of a tree that is copied, its first one."""
    if isinstance(error, shutil.Error):
        return bool(error.args) and any(f"[Errno {code}]" in str(error.args[0]) for code in NO_ROOM)
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, sqlite3.Error) and code == sqlite3.SQLITE_FULL
