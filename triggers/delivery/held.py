"""Which rows memory has, too: a page that is read has them as well, and they must not come in twice."""

from collections.abc import Iterator
from contextlib import contextmanager


class Held:
    """Numbers of rows that are in memory. One page is read at a time."""

    def __init__(self) -> None:
        self._seqs: set[int] = set()
        self._gone: set[int] = set()
        self._reading = False

    def __contains__(self, seq: int) -> bool:
        return seq in self._seqs

    def __len__(self) -> int:
        return len(self._seqs)

    def add(self, seq: int) -> None:
        """Memory has this row."""
        self._seqs.add(seq)

    def let_go(self, seq: int) -> None:
        """Memory has this row no more, and its disk may give it back."""
        self._seqs.discard(seq)

    def gone(self, seq: int) -> None:
        """The disk has this row no more; a page that is being read may still show it."""
        if self._reading:
            self._gone.add(seq)
        else:
            self._seqs.discard(seq)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While a page is read, and looked through."""
        self._reading = True
        try:
            yield
        finally:
            self._reading = False
            self._seqs -= self._gone
            self._gone.clear()
