"""What waits in order: what must not be lost without bound, what may be lost up to a limit."""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

T = TypeVar("T")

LIMIT = 10_000

Heap = list[tuple[int, T]]


class Backlog(Generic[T]):
    """Waiting things in the order of their sequence numbers, which are unique.

    Things may be put back under their old number. Of those that may be lost (QoS 0) at most `limit` wait;
    what may not be lost is bounded by the window of unacknowledged messages that it comes from.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._sure: Heap[T] = []
        self._unsure: Heap[T] = []

    def __len__(self) -> int:
        return len(self._sure) + len(self._unsure)

    def put(self, seq: int, thing: T, *, sure: bool) -> T | None:
        """Let `thing` wait; returns the oldest one that had to give way to it, or None."""
        if sure:
            heappush(self._sure, (seq, thing))
            return None
        heappush(self._unsure, (seq, thing))
        return heappop(self._unsure)[1] if len(self._unsure) > self._limit else None

    @property
    def lowest(self) -> int | None:
        """The number that is next, or None when nothing waits."""
        return min((heap[0][0] for heap in (self._sure, self._unsure) if heap), default=None)

    @property
    def oldest_sure(self) -> T | None:
        """The next of what must not be lost."""
        return self._sure[0][1] if self._sure else None

    def sure(self) -> list[T]:
        """What must not be lost, in order."""
        return [thing for _, thing in sorted(self._sure, key=_seq)]

    def discard(self, seqs: "set[int]") -> None:
        """Let go of what must not be lost under these numbers: it stands elsewhere."""
        self._sure = [entry for entry in self._sure if entry[0] not in seqs]
        heapify(self._sure)

    def take(self) -> T:
        """The thing with the lowest number; raises IndexError when nothing waits."""
        if self._sure and (not self._unsure or self._sure[0][0] < self._unsure[0][0]):
            return heappop(self._sure)[1]
        return heappop(self._unsure)[1]

    def let_go(self, which: Callable[[T], bool]) -> list[T]:
        """Take out all of which this is so; in order."""
        gone = sorted(
            (entry for heap in (self._sure, self._unsure) for entry in heap if which(entry[1])), key=_seq
        )
        for heap in (self._sure, self._unsure):
            heap[:] = [entry for entry in heap if not which(entry[1])]
            heapify(heap)
        return [thing for _, thing in gone]


def _seq(entry: tuple[int, object]) -> int:
    return entry[0]
