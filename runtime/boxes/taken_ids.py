"""Tells which user ids this machine has given to others already, as far as its own files say so."""

from collections.abc import Iterator
from pathlib import Path

from conf.isolation import BLOCK

ETC = Path("/etc")


def free_blocks(uids: range, etc: Path = ETC) -> tuple[list[range], str | None]:
    """The blocks of ids that nobody has, and for one of the others who has it, in a sentence."""
    blocks = [uids[start : start + BLOCK] for start in range(0, len(uids) - BLOCK + 1, BLOCK)]
    taken = list(_taken(etc))
    why = next((said for ids, said in taken if any(_overlap(block, ids) for block in blocks)), None)
    return [block for block in blocks if not any(_overlap(block, ids) for ids, _ in taken)], why


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def _taken(etc: Path) -> Iterator[tuple[range, str]]:
    """Users and groups (passwd(5), group(5)), and what is theirs for containers (subuid(5), subgid(5))."""
    for file in ("passwd", "group"):
        for name, _, number in _rows(etc / file):
            yield range(number, number + 1), f"{etc / file} has {name} with the id {number}"
    for file in ("subuid", "subgid"):
        for name, first, count in _rows(etc / file):
            ids = range(int(first), int(first) + count)
            yield ids, f"{etc / file} gives {ids.start} to {ids.stop - 1} to {name}"


def _rows(file: Path) -> Iterator[tuple[str, str, int]]:
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        fields = line.split(":")
        if len(fields) >= 3 and fields[2].isdecimal() and (fields[1].isdecimal() or len(fields) > 3):
            yield fields[0], fields[1], int(fields[2])
