"""Prints what the folders and files of one folder take on the disk: a script, run apart from the host.

`python disk_use.py FOLDER PART…` writes a JSON object of bytes by name, for each entry of each part of the
folder. A file with several names counts once, as du(1) has it.
"""

import json
import os
import sys
from collections.abc import Iterator

BLOCK = 512
"""What st_blocks counts in, whatever the file system's own blocks are (stat(2))."""


def measure(root: str, parts: list[str]) -> dict[str, int]:
    """Bytes by `part/entry`; what vanishes meanwhile counts nothing."""
    seen: set[tuple[int, int]] = set()
    used = {}
    for part in parts:
        for entry in _entries(os.path.join(root, part)):
            used[f"{part}/{entry.name}"] = sum(_sizes(entry, seen))
    return used


def _sizes(entry: "os.DirEntry[str]", seen: set[tuple[int, int]]) -> Iterator[int]:
    todo = [entry]
    while todo:
        each = todo.pop()
        try:
            found = each.stat(follow_symlinks=False)
        except OSError:
            continue
        if found.st_nlink == 1 or (found.st_dev, found.st_ino) not in seen:
            seen.add((found.st_dev, found.st_ino))
            yield found.st_blocks * BLOCK
        if each.is_dir(follow_symlinks=False):
            todo += _entries(each.path)


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


if __name__ == "__main__":
    os.nice(19)
    print(json.dumps(measure(sys.argv[1], sys.argv[2:])))
