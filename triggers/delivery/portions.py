"""Many rows in portions, each of which fits into one transaction."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

MOST_BYTES = 1024 * 1024
MOST = 500


def portions(things: Sequence[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """All things in their order; `size` gives the bytes of one, and what is too large goes by itself."""
    portion: list[T] = []
    room = MOST_BYTES
    for thing in things:
        needed = size(thing)
        if portion and (needed > room or len(portion) == MOST):
            yield portion
            portion, room = [], MOST_BYTES
        portion.append(thing)
        room -= needed
    if portion:
        yield portion
