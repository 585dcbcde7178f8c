"""Walks, deletes and hands over folders in which code that nobody trusts may have written.

All of it goes by descriptor and follows no link, with two descriptors however deep folders lie within each
other: a path can be longer than the kernel takes one (PATH_MAX), and lead elsewhere by the next look.
"""

import contextlib
import itertools
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
HANDLE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
PRIVATE = 0o700
MOST_PASSES = 100_000
"""Each goes one folder deeper; who still writes meanwhile does not keep us for ever."""


class Found(NamedTuple):
    """What lies in the folder that `folder` is a descriptor of, valid until the next one is asked for."""

    folder: int
    name: str
    status: os.stat_result


class _Level(NamedTuple):
    identity: tuple[int, int]
    inner: list[str]


def walk(top: int) -> Iterator[Found]:
    """All that lies below an open folder, each folder before what is in it; what vanishes is left out.

    A branch that is moved meanwhile ends it.
    """
    here = os.dup(top)
    levels = [_level(here)]
    try:
        yield from _list(here, levels[-1].inner)
        while levels:
            if levels[-1].inner:
                below = _open_inner(here, levels[-1].inner.pop())
                if below is not None:
                    os.close(here)
                    here = below
                    levels.append(_level(here))
                    yield from _list(here, levels[-1].inner)
                continue
            levels.pop()
            if not levels:
                return
            above = os.open("..", FOLDER, dir_fd=here)
            os.close(here)
            here = above
            if _identity(here) != levels[-1].identity:
                return
    finally:
        os.close(here)


def open_folder(path: Path) -> int:
    """A descriptor of a folder that is not a symbolic link; raises OSError."""
    return os.open(path, FOLDER)


def delete_tree(path: Path) -> bool:
    """Delete a file, a link or a folder with all in it; False when something of it stays.

    What holds it may be reached through links, and is nobody's to change but ours.
    """
    with contextlib.suppress(OSError):
        above = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _delete(above, path.name)
        finally:
            os.close(above)
    return not os.path.lexists(path)


def give_tree(folder: int, owner: int, mode: Callable[[os.stat_result], int] | None = None) -> None:
    """Hand an open folder, with all in it that has the same owner, to the user `owner` and its group.

    Links stay whose they are, and so do files with another name, which may lie elsewhere. `mode` tells what
    each gets as its mode. Raises OSError.
    """
    top = os.fstat(folder)
    for found in walk(folder):
        if found.status.st_uid == top.st_uid and not stat.S_ISLNK(found.status.st_mode):
            _give(found, top.st_uid, owner, mode)
    if mode is not None:
        os.fchmod(folder, mode(top))
    # The last one: it says that all are done.
    os.fchown(folder, owner, owner)


def _give(found: Found, before: int, owner: int, mode: Callable[[os.stat_result], int] | None) -> None:
    with contextlib.suppress(FileNotFoundError):
        handle = os.open(found.name, HANDLE, dir_fd=found.folder)
        try:
            # It may be another one by now.
            status = os.fstat(handle)
            is_plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
            if status.st_uid == before and (is_plain or stat.S_ISDIR(status.st_mode)):
                os.chown(_path_of(handle), owner, owner)
                if mode is not None:
                    os.chmod(_path_of(handle), mode(status))
        finally:
            os.close(handle)


def _delete(above: int, name: str) -> bool:
    if _unlink(above, name):
        return True
    if (top := _open_own(above, name)) is not None:
        try:
            _empty(top)
        finally:
            os.close(top)
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=above)
    return _is_gone(above, name)


def _empty(top: int) -> None:
    """What folders hold is moved up before they are deleted, so that nothing lies deeper than one of them."""
    word, numbers = secrets.token_hex(8), itertools.count()
    kept: set[str] = set()
    for _ in range(MOST_PASSES):
        left = set(os.listdir(top)) - kept
        if not left:
            return
        for name in left:
            _take_apart(top, name, (f"{word}-{number}" for number in numbers))
            if not _is_gone(top, name):
                kept.add(name)


def _take_apart(top: int, name: str, names: Iterator[str]) -> None:
    """Delete what has this name in `top`; the folders in it go into `top`, under the names told."""
    if _unlink(top, name) or (inner := _open_own(top, name)) is None:
        return
    try:
        for each in os.listdir(inner):
            if not _unlink(inner, each):
                _move(inner, each, top, next(names))
    finally:
        os.close(inner)
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=top)


def _move(folder: int, name: str, top: int, target: str) -> None:
    with contextlib.suppress(OSError):
        # Whoever is not root moves no folder that he may not write: what is above is a file in it.
        if (own := _open_own(folder, name)) is not None:
            os.close(own)
        os.rename(name, target, src_dir_fd=folder, dst_dir_fd=top)


def _unlink(folder: int, name: str) -> bool:
    """Whether it was no folder, and is gone."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)
        return True
    return False


def _is_gone(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return True
    return False


def _open_inner(folder: int, name: str) -> int | None:
    with contextlib.suppress(OSError):
        return os.open(name, FOLDER, dir_fd=folder)
    return None


def _open_own(folder: int, name: str) -> int | None:
    """A folder in an open one, made readable and writable to its owner."""
    with contextlib.suppress(OSError):
        handle = os.open(name, HANDLE | os.O_DIRECTORY, dir_fd=folder)
        try:
            if os.fstat(handle).st_mode & PRIVATE != PRIVATE:
                os.chmod(_path_of(handle), PRIVATE)
        finally:
            os.close(handle)
    return _open_inner(folder, name)


def _path_of(handle: int) -> str:
    # A descriptor that gives no more than the place of a file; there the kernel looks no name up (proc(5)).
    return f"/proc/self/fd/{handle}"


def _level(folder: int) -> _Level:
    return _Level(_identity(folder), [])


def _identity(folder: int) -> tuple[int, int]:
    status = os.fstat(folder)
    return status.st_dev, status.st_ino


def _list(folder: int, inner: list[str]) -> Iterator[Found]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(status.st_mode):
                    inner.append(entry.name)
                yield Found(folder, entry.name, status)
