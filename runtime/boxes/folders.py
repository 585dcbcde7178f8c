"""Folders that belong to one function's user and to nobody else."""

import os
import shutil
import stat
from pathlib import Path

PRIVATE = 0o700


def make_private(folder: Path, uid: int | None) -> None:
    """Make it, or give it with all in it to `uid` (None: to ourselves); raises OSError.

    A file with another name elsewhere, and a link, stay whose they are: the function may have made them.
    """
    folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    owner = os.geteuid() if uid is None else uid
    if os.stat(folder).st_uid == owner:
        return
    os.chmod(folder, PRIVATE)
    for name in _inside(folder):
        os.lchown(name, owner, owner)
    # The last one: it says that all are done.
    os.lchown(folder, owner, owner)


def _inside(folder: Path) -> list[str]:
    found = []
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink == 1):
                found.append(path)
    return found


def remove_private(folder: Path) -> None:
    """Delete it with all in it, as far as that goes: what stays is deleted at the next start."""
    shutil.rmtree(folder, ignore_errors=True)
