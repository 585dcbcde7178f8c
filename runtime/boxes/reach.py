"""Tells whether another user gets to a file or folder by what the folders above it allow."""

import os
import stat
from pathlib import Path

SEARCH, READ, WRITE = 1, 4, 2


def find_barrier(path: Path, uid: int, rights: int = READ) -> str | None:
    """What keeps `uid` (also the group's number) from `path`, in a sentence; None when nothing does.

    Symbolic links are followed. Access control lists are not looked at, so one that opens a folder is not
    seen. What does not exist yet is judged by the folders above it.
    """
    real = Path(os.path.realpath(path))
    for folder in reversed((*Path(os.path.abspath(path)).parents, *real.parents)):
        if not _allows(folder, uid, SEARCH):
            return f"{folder} is closed to other users"
    if real.exists() and not _allows(real, uid, rights | (SEARCH if real.is_dir() else 0)):
        return f"{real} is closed to other users"
    return None


def _allows(path: Path, uid: int, rights: int) -> bool:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    mode = stat.S_IMODE(found.st_mode)
    granted = mode >> 6 if found.st_uid == uid else mode >> 3 if found.st_gid == uid else mode
    return granted & rights == rights
