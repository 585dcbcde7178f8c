"""What stands on disk only: the rows behind all that is in memory, read back page by page."""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """A row with its place in the order of all."""

    @property
    def seq(self) -> int:
        """The number."""


Row = TypeVar("Row", bound=Numbered)
Read = Callable[[int, int], Awaitable[list[Row]]]


class Known(Protocol):
    """The rows that were found on disk at the start."""

    @property
    def first(self) -> int:
        """The lowest sequence number."""

    @property
    def count(self) -> int:
        """How many."""

    @property
    def last(self) -> int:
        """The highest."""


class Overflow(Generic[Row]):
    """Rows from `first` on, none of which is in memory; `read(since, limit)` gets them in order.

    `count` says about how many, for people.
    """

    def __init__(self, read: Read[Row], known: Known | None = None) -> None:
        self._read: Read[Row] = read
        self.first: int | None = known.first if known else None
        self.count = known.count if known else 0
        self._last = known.last if known else 0
        self._grown = False

    def __bool__(self) -> bool:
        return self.first is not None

    def add(self, seq: int) -> None:
        """The row `seq`, which is committed, is let go of by memory."""
        self._grown = True
        self.first = seq if self.first is None else min(self.first, seq)
        self._last = max(self._last, seq)
        self.count += 1

    async def load(self, limit: int) -> list[Row]:
        """The next rows; they belong to the caller from now on."""
        if self.first is None:
            return []
        self._grown = False
        rows = await self._read(self.first, limit)
        # What was added while the rows were read is behind the last of them, and still to be read.
        done = not self._grown and (not rows or (rows[-1].seq >= self._last and len(rows) < limit))
        if rows or done:
            self.first = None if done else rows[-1].seq + 1
        self.count = 0 if done else max(self.count - len(rows), 0)
        return rows
