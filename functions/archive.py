"""Unpacks the zip of a package within bounds, or refuses the whole of it and names the entry."""

import os
import shutil
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from conf import limits as told
from functions.errors import PackageError
from functions.zip_directory import Entry, read_directory, read_entry

MIB = 1024 * 1024
UNPACKED = "(`limits.unpacked`)"
LONGEST_NAME = 255
LONGEST_PATH = 1024
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


@dataclass(frozen=True)
class Limits:
    """What one archive may hold; sizes in bytes, inflated. `ratio` holds for files above 1 MiB."""

    entries: int = 2000
    total: int = 512 * MIB
    file: int = 512 * MIB
    ratio: int = 200
    depth: int = 16

    @classmethod
    def of(cls, limits: told.Limits) -> "Limits":
        """Those of the config."""
        return cls(limits.files, limits.unpacked, limits.unpacked, limits.ratio, limits.depth)


DEFAULT_LIMITS = Limits()


def extract(zip_path: Path, target: Path, limits: Limits = DEFAULT_LIMITS) -> list[str]:
    """Unpack `zip_path` into the folder `target`, which must be new or empty; returns the files' names.

    Raises PackageError for anything but plain files and folders inside `target`; then `target` is gone.
    """
    target.mkdir(parents=True, exist_ok=True)
    if any(target.iterdir()):
        raise FileExistsError(f"{target} is not empty")
    try:
        with zip_path.open("rb") as file:
            return _extract(file, target, limits)
    except BaseException:
        shutil.rmtree(target)
        raise


def _extract(file: BinaryIO, target: Path, limits: Limits) -> list[str]:
    entries = read_directory(file, limits.entries)
    names = NameTable()
    for entry in entries:
        _check_kind(entry)
        check_name_parts(entry.name, limits.depth)
        names.add(entry.name)
    for folder in names.folders():
        (target / folder).mkdir(mode=0o755)
        (target / folder).chmod(0o755)
    budget = Budget(limits)
    files = [entry for entry in entries if not entry.name.endswith("/")]
    for entry in files:
        _write(target / entry.name, budget.measured(entry, read_entry(file, entry)))
    return [entry.name for entry in files]


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    # O_EXCL also refuses to follow a link, should something else have write access to the folder.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        os.fchmod(descriptor, 0o644)
        for piece in pieces:
            out.write(piece)


@dataclass
class Budget:
    """What is left of the limits while the archive is inflated."""

    limits: Limits
    spent: int = 0

    def measured(self, entry: Entry, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """`pieces`, until one of them passes a limit."""
        size = 0
        for piece in pieces:
            size += len(piece)
            self.spent += len(piece)
            self._check(entry, size)
            yield piece

    def _check(self, entry: Entry, size: int) -> None:
        limits = self.limits
        if size > limits.file:
            raise _refused(entry.name, f"is larger than {_mib(limits.file)}, the limit for a file {UNPACKED}")
        if self.spent > limits.total:
            raise _refused(entry.name, f"takes the package above {_mib(limits.total)}, the limit {UNPACKED}")
        if size > MIB and size > limits.ratio * entry.packed:
            told = f"inflates to more than {limits.ratio} times its packed size (`limits.ratio`)"
            raise _refused(entry.name, told)


def _mib(size: int) -> str:
    return f"{size / MIB:g} MiB"


def _check_kind(entry: Entry) -> None:
    if entry.encrypted:
        raise _refused(entry.name, "is encrypted; pack the zip without a password")
    kind = stat.S_IFMT(entry.mode)
    if kind == stat.S_IFLNK:
        raise _refused(entry.name, "is a symbolic link; pack the file that it points at")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise _refused(entry.name, "is a device, pipe or socket; a package holds only files and folders")
    is_folder = entry.name.endswith("/")
    if kind and is_folder != (kind == stat.S_IFDIR):
        raise _refused(entry.name, "is a folder by its name or by its mode, but not by both")
    if is_folder and entry.size:
        raise _refused(entry.name, "is a folder with contents of its own")


def check_name_parts(name: str, depth: int) -> None:
    """Raise PackageError unless `name` is a relative path that means the same thing everywhere."""
    if "\\" in name:
        raise _refused(name, "has a backslash in its name; pack it with / between folders")
    if any(unicodedata.category(character) in INVISIBLE for character in name):
        raise _refused(name, "has control or invisible characters in its name")
    if name.startswith("/") or (name[1:2] == ":" and name[0].isalpha()):
        raise _refused(name, "has an absolute path; pack it relative to the package's folder")
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        raise _refused(name, "leaves the package's folder by '..'")
    if "" in parts or "." in parts:
        raise _refused(name, "has an empty part or '.' in its path")
    if len(parts) > depth:
        raise _refused(name, f"lies more than {depth} folders deep (`limits.depth`)")
    if len(os.fsencode(name)) > LONGEST_PATH or any(len(os.fsencode(p)) > LONGEST_NAME for p in parts):
        raise _refused(name, f"has a name over {LONGEST_NAME} bytes or a path over {LONGEST_PATH}")


class NameTable:
    """Every path of an archive, so that no two of them can mean one file on any file system."""

    def __init__(self) -> None:
        self._spelling: dict[str, str] = {}
        self._folders: dict[str, None] = {}
        self._named: set[str] = set()

    def add(self, name: str) -> None:
        """Add a file, or a folder when `name` ends with a slash. Raises PackageError on a collision."""
        path = name.removesuffix("/")
        if path in self._named:
            raise _refused(name, "is in the zip twice")
        self._named.add(path)
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            self._add_folder(str(parent), name)
        if name.endswith("/"):
            self._add_folder(path, name)
            return
        self._claim(path, name)
        if path in self._folders:
            raise _refused(name, "is both a file and a folder")

    def folders(self) -> list[str]:
        """Every folder, named or implied, parents first."""
        return list(self._folders)

    def _add_folder(self, path: str, name: str) -> None:
        self._claim(path, name)
        if path in self._named and path not in self._folders and path != name.removesuffix("/"):
            raise _refused(name, f"needs a folder {path!r}, which is also a file")
        self._folders[path] = None

    def _claim(self, path: str, name: str) -> None:
        first = self._spelling.setdefault(_folded(path), path)
        if first != path:
            raise _refused(name, f"differs from {first!r} only in case or in the form of its letters")


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _refused(name: str, reason: str) -> PackageError:
    return PackageError(f"{name!r} {reason}", name)
