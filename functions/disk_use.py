"""Prints what the folders and files of one folder take on the disk, in a process apart from the host."""

import contextlib
import json
import os
import stat
from collections.abc import Iterator

from functions.trees import FOLDER, walk

BLOCK = 512
"""What st_blocks counts in, whatever the file system's own blocks are (stat(2))."""
START = "import sys; sys.path.append(sys.argv[1]); from functions.disk_use import main; main(sys.argv[2:])"


def command(root: str, parts: tuple[str, ...]) -> list[str]:
    """The arguments of a Python that prints a JSON object of bytes by name, for each entry of each part."""
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return ["-c", START, ours, root, *parts]


def measure(root: str, parts: list[str]) -> dict[str, int]:
    """Bytes by `part/entry`; what vanishes counts nothing, and a file with several names once."""
    seen: set[tuple[int, int]] = set()
    used = {}
    for part in parts:
        folder = os.path.join(root, part)
        for name in _names(folder):
            used[f"{part}/{name}"] = sum(_sizes(os.path.join(folder, name), seen))
    return used


def _sizes(path: str, seen: set[tuple[int, int]]) -> Iterator[int]:
    for found in _all_of(path):
        if found.st_nlink == 1 or (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            yield found.st_blocks * BLOCK


def _all_of(path: str) -> Iterator[os.stat_result]:
    with contextlib.suppress(OSError):
        yield (status := os.lstat(path))
        if stat.S_ISDIR(status.st_mode):
            folder = os.open(path, FOLDER)
            try:
                yield from (found.status for found in walk(folder))
            finally:
                os.close(folder)


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def main(arguments: list[str]) -> None:
    """Print it of the folder and the parts that the arguments name."""
    os.nice(19)
    print(json.dumps(measure(arguments[0], arguments[1:])))
