"""Which records go first when there is no room: samples, then failures, but the newest samples stay."""

from collections.abc import Iterable
from dataclasses import dataclass

SHARE = 10
"""Samples may always have this part of the room: one record in ten, one byte in ten."""


@dataclass(frozen=True)
class Bounds:
    """How many records are kept, and how many bytes of them."""

    most: int
    size: int


@dataclass(frozen=True)
class Kind:
    """Samples, or failures: how many there are, their bytes, and the sizes one by one, the oldest first."""

    count: int
    size: int
    sizes: Iterable[int]


def count_excess(samples: Kind, failures: Kind, bounds: Bounds) -> tuple[int, int]:
    """How many of the oldest samples, and of the oldest failures, are too many."""
    count, size = samples.count + failures.count - bounds.most, samples.size + failures.size - bounds.size
    # With failures that fill the room by themselves, both keep their newest.
    spare = _Spare(samples.count - bounds.most // SHARE, samples.size - bounds.size // SHARE)
    dropped = [0, 0]
    for which, kind in enumerate((samples, failures)):
        for each in kind.sizes:
            if count <= 0 and size <= 0:
                return dropped[0], dropped[1]
            if which == 0 and not spare.covers(count, size):
                break
            dropped[which] += 1
            count, size = count - 1, size - each
            spare.give(each)
    return dropped[0], dropped[1]


class _Spare:
    """What samples have beyond their part."""

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size

    def covers(self, count: int, size: int) -> bool:
        """Whether some of what is too much can be taken from it."""
        return (count > 0 and self._count > 0) or (size > 0 and self._size > 0)

    def give(self, size: int) -> None:
        """One sample less."""
        self._count -= 1
        self._size -= size
