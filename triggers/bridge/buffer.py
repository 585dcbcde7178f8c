"""What a bridge has read while its broker is away: bounded, and the oldest gives way to the newest."""

from collections import deque

MOST_RECORDS = 10_000
MOST_BYTES = 16 * 1024 * 1024


class Buffer:
    """Records in the order in which they came; `dropped` counts those that gave way."""

    def __init__(self, most_records: int = MOST_RECORDS, most_bytes: int = MOST_BYTES) -> None:
        self.dropped = 0
        self._records: deque[bytes] = deque()
        self._bytes = 0
        self._most_records = most_records
        self._most_bytes = most_bytes

    def __len__(self) -> int:
        return len(self._records)

    def put(self, record: bytes) -> None:
        """Let `record` wait, at the expense of the oldest if need be; the newest one is always kept."""
        self._records.append(record)
        self._bytes += len(record)
        while len(self) > self._most_records or (self._bytes > self._most_bytes and len(self) > 1):
            self.take()
            self.dropped += 1

    def take(self) -> bytes:
        """The oldest record; raises IndexError when none waits."""
        record = self._records.popleft()
        self._bytes -= len(record)
        return record
