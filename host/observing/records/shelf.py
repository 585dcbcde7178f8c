"""Records in memory, until they are on disk: bounded, by the same rule as those there."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from host.observing.records.record import Record
from host.observing.records.room import Bounds, Kind, count_excess

MEMORY = 16 * 1024 * 1024
"""Bytes of records that wait for the disk."""
FILLING = 4
"""The part of them above which it is time to write: the rest is for what comes meanwhile."""


class Shelf:
    """Samples and failures, each in the order of their numbers."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = Bounds(bounds.most, min(bounds.size, MEMORY))
        self._samples: deque[Record] = deque()
        self._failures: deque[Record] = deque()
        self._sample_bytes = 0
        self._failure_bytes = 0

    @property
    def filling(self) -> int:
        """Bytes above which the disk had better take what is here before more comes."""
        return self._bounds.size // FILLING

    @property
    def is_filling(self) -> bool:
        """Whether there is as much."""
        return self._sample_bytes + self._failure_bytes > self.filling

    def __iter__(self) -> Iterator[Record]:
        yield from self._samples
        yield from self._failures

    def __len__(self) -> int:
        return len(self._samples) + len(self._failures)

    def add(self, record: Record) -> "Counter[str]":
        """Keep one more; returns how many had to give way, by their results."""
        self._append(record)
        return self._trim()

    def take_complete(self) -> list[Record]:
        """Those that nothing more comes to, in the order of their numbers; they are not here any more."""
        taken = sorted((each for each in self if each.is_complete), key=lambda each: each.number)
        left = [each for each in self if not each.is_complete]
        self._clear()
        for each in left:
            self._append(each)
        return taken

    def put_back(self, records: Iterable[Record]) -> "Counter[str]":
        """Those that the disk did not take are before all others; returns how many had to give way."""
        newer = list(self)
        self._clear()
        for each in (*records, *newer):
            self._append(each)
        return self._trim()

    def _append(self, record: Record) -> None:
        if record.is_sample:
            self._samples.append(record)
            self._sample_bytes += record.size
        else:
            self._failures.append(record)
            self._failure_bytes += record.size

    def _clear(self) -> None:
        self._samples.clear()
        self._failures.clear()
        self._sample_bytes = self._failure_bytes = 0

    def _trim(self) -> "Counter[str]":
        gone: Counter[str] = Counter()
        size = self._sample_bytes + self._failure_bytes
        if len(self._samples) + len(self._failures) <= self._bounds.most and size <= self._bounds.size:
            return gone
        samples, failures = count_excess(
            Kind(len(self._samples), self._sample_bytes, (each.size for each in self._samples)),
            Kind(len(self._failures), self._failure_bytes, (each.size for each in self._failures)),
            self._bounds,
        )
        for _ in range(samples):
            self._sample_bytes -= self._samples.popleft().size
        for _ in range(failures):
            record = self._failures.popleft()
            self._failure_bytes -= record.size
            gone[record.result] += 1
        if samples:
            gone["ok"] += samples
        return gone
