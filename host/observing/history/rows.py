"""The newest rows of one series at one step, packed: some sixty bytes each, and far less once pressed."""

import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from host.observing.history.columns import Layout

ROWS_OF_BLOCK = 60
FASTEST = 1
"""zlib's level: a block of a busy function takes 90 µs, and a sixth of its bytes is left."""

Row = tuple[Any, ...]
"""The time, then the columns of its layout."""


@dataclass(frozen=True, slots=True)
class Block:
    """So many rows up to the time `last`, pressed."""

    last: int
    rows: int
    pressed: bytes


class Rows:
    """Rows in the order of their time; those `span` seconds older than the newest are given up, by blocks.

    Periods in which nothing was seen have no row, so that what sleeps costs nothing.
    """

    __slots__ = ("_blocks", "_last", "_layout", "_most", "_open", "_span")

    def __init__(self, layout: Layout, step: int, span: int) -> None:
        self._layout = layout
        self._span = span
        # One more for a past that ended within a block.
        self._most = span // step // ROWS_OF_BLOCK + 2
        self._blocks: deque[Block] = deque()
        self._open = bytearray()
        self._last = 0

    def __len__(self) -> int:
        return sum(each.rows for each in self._blocks) + len(self._open) // self._layout.packed.size

    @property
    def last(self) -> int:
        """The time of the newest row; 0 if there is none."""
        return self._last

    @property
    def size(self) -> int:
        """Bytes of the rows, without Python's own for what holds them."""
        return len(self._open) + sum(len(each.pressed) for each in self._blocks)

    def add(self, row: bytes, at: int) -> None:
        """Keep a packed row of the time `at`."""
        self._open += row
        self._last = at
        if len(self._open) >= ROWS_OF_BLOCK * self._layout.packed.size:
            self.close()
            self.forget(at)

    def close(self) -> None:
        """Press what is not pressed yet, if there is any."""
        if self._open:
            rows = len(self._open) // self._layout.packed.size
            self._blocks.append(Block(self._last, rows, zlib.compress(self._open, FASTEST)))
            self._open = bytearray()

    def precede(self, past: "Rows") -> None:
        """Put the rows of `past`, which is closed, before these."""
        self._blocks.extendleft(reversed(past._blocks))
        self._last = self._last or past._last

    def forget(self, now: int) -> None:
        """Give up blocks whose rows are all too old."""
        while self._blocks and (self._blocks[0].last <= now - self._span or len(self._blocks) > self._most):
            self._blocks.popleft()

    def since(self, at: int) -> Iterator[Row]:
        """The rows from the time `at` on."""
        for block in self._blocks:
            if block.last >= at:
                yield from self._unpack(zlib.decompress(block.pressed), at)
        yield from self._unpack(bytes(self._open), at)

    def split(self, packed: bytes) -> Iterator[bytes]:
        """Each of the packed rows."""
        size = self._layout.packed.size
        return (packed[place : place + size] for place in range(0, len(packed), size))

    def _unpack(self, packed: bytes, at: int) -> Iterator[Row]:
        return (row for row in self._layout.packed.iter_unpack(packed) if row[0] >= at)
