"""Folders that belong to one function's user and to nobody else, in folders that are nobody's but ours."""

import contextlib
import errno
import os
from collections.abc import Container
from pathlib import Path

from functions.trees import delete_tree, give_tree, open_folder
from runtime.boxes.places import SHARED_MEMORY

PRIVATE = 0o700
PASSED = 0o711
"""Others reach what is theirs in it, and cannot look around."""


def make_private(folder: Path, uid: int | None) -> None:
    """Make it, or give it with all in it to `uid` (None: to ourselves); raises OSError.

    A function may have put links and files of others into it: they stay whose they are. It is refused where
    somebody else could have put something in its own place.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.parent.stat().st_uid != os.geteuid():
        raise OSError(errno.EPERM, "it lies in another user's folder", str(folder))
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE)
    opened = open_folder(folder)
    try:
        _hand_over(opened, os.geteuid() if uid is None else uid)
    finally:
        os.close(opened)


def _hand_over(folder: int, owner: int) -> None:
    if os.fstat(folder).st_uid != owner:
        os.fchmod(folder, PRIVATE)
        give_tree(folder, owner)


def make_passage(folder: Path) -> None:
    """Make a folder of ours that holds others' private ones, or take it back; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = open_folder(folder)
    try:
        # First: nobody else changes what is in it from here on.
        os.fchown(opened, os.geteuid(), os.getegid())
        os.fchmod(opened, PASSED)
    finally:
        os.close(opened)


def delete_shared_memory(uids: Container[int], folder: str = SHARED_MEMORY) -> None:
    """Delete what these users have left where any process may share memory under a name (shm_open(3))."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_uid in uids:
                    delete_tree(Path(entry.path))
