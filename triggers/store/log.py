"""What of SQLite's write-ahead log counts: a damaged one is cut off silently by SQLite itself."""

import struct
from pathlib import Path

from triggers.store.database import PAGE

_HEADER = struct.Struct(">8I")
_FRAME = struct.Struct(">6I")


def committed_frames(log: Path) -> int:
    """The number of the last frame of `log` that ends a transaction, going by the frames' own headers.

    When SQLite finds fewer (it stops at the first frame whose checksum is wrong), some were lost. The format
    is that of https://www.sqlite.org/fileformat2.html#walformat. Raises OSError.
    """
    if not log.exists():
        return 0
    last = 0
    with log.open("rb") as file:
        start = file.read(_HEADER.size)
        salts = _salts(start)
        number = 0
        while len(frame := file.read(_FRAME.size)) == _FRAME.size:
            number += 1
            _, pages, *found = _FRAME.unpack(frame)
            # A header that is damaged itself tells nothing: then the first frame does.
            salts = salts or (found[0], found[1])
            if pages and (found[0], found[1]) == salts:
                last = number
            file.seek(PAGE, 1)
    return last


def _salts(start: bytes) -> tuple[int, int] | None:
    if len(start) < _HEADER.size:
        return None
    magic, *numbers, first, second = _HEADER.unpack(start)
    order = ">" if magic & 1 else "<"
    left = right = 0
    words = struct.unpack(f"{order}6I", start[:24])
    for one, two in zip(words[::2], words[1::2], strict=True):
        left = (left + one + right) & 0xFFFFFFFF
        right = (right + two + left) & 0xFFFFFFFF
    return (numbers[3], numbers[4]) if (left, right) == (first, second) else None
