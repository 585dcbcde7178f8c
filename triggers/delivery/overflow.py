"""What stands on disk only: the rows behind all that is in memory, read back page by page."""

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from triggers.store.page import Page


class Numbered(Protocol):
    """A row with its place in the order of all."""

    @property
    def seq(self) -> int:
        """The number."""


Row = TypeVar("Row", bound=Numbered)
Read = Callable[[int, int], Awaitable[Page[Row]]]


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
        self._added: int | None = None

    def __bool__(self) -> bool:
        return self.first is not None

    def add(self, seq: int) -> None:
        """The row `seq`, which is committed, is let go of by memory; or what is new begins there."""
        self._added = seq if self._added is None else min(self._added, seq)
        self.first = seq if self.first is None else min(self.first, seq)
        self._last = max(self._last, seq)
        self.count += 1

    async def load(self, limit: int) -> list[Row]:
        """The next rows; they belong to the caller from now on.

        Some of them may be the caller's already: what is added during a reading is read again from there on,
        since a row may be committed behind the back of a reading that has passed its place.
        """
        if self.first is None:
            return []
        self._added = None
        rows = await self._read(self.first, limit)
        done = not rows or (rows[-1].seq >= self._last and len(rows) < limit and not rows.cut)
        rest = None if done else rows[-1].seq + 1
        self.first = min((seq for seq in (rest, self._added) if seq is not None), default=None)
        self.count = 0 if self.first is None else max(self.count - len(rows), 0)
        return rows
