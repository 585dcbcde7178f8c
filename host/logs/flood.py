"""Holds back what the host's own log says again and again, and says how often it would have been said."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

WINDOW = 10.0
SAME, ALIKE = 5, 100
"""Times in a window of so many seconds that one message is written, and that one place in the code writes."""
MOST_KNOWN = 1000


@dataclass
class Seen:
    """How often something was said since a moment, and how many times of these it was held back."""

    since: float
    count: int = 0
    held: int = 0
    last: logging.LogRecord | None = None


class Flood(logging.Filter):
    """`clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__()
        self._clock = clock
        self._seen: dict[Hashable, Seen] = {}
        # Records come from any thread.
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be written."""
        with self._lock:
            same = (record.name, record.levelno, record.getMessage()[:500])
            alike = _place(record)
            # The place first: of messages that are all different it lets no more by than can be known here.
            return self._admit(alike, ALIKE, record) and self._admit(same, SAME, record)

    def _admit(self, key: Hashable, most: int, record: logging.LogRecord) -> bool:
        now, seen = self._clock(), self._seen.get(key)
        if seen is None or (not seen.held and now - seen.since >= WINDOW):
            # One that has held something back goes on until that is told.
            self._seen.pop(key, None)
            seen = self._seen[key] = Seen(now)
            self._forget()
        seen.count += 1
        if seen.count <= most:
            return True
        seen.held += 1
        seen.last = record
        return False

    def _forget(self) -> None:
        """Lose the oldest that have nothing to tell; those that have are told soon."""
        if len(self._seen) > MOST_KNOWN:
            idle = [key for key, seen in self._seen.items() if not seen.held]
            for key in idle[: MOST_KNOWN // 2]:
                del self._seen[key]

    def take(self, whole: bool = False) -> list[logging.LogRecord]:
        """What is to be said of those whose window is over, or with `whole` of all."""
        now = self._clock()
        sums = Counter[Hashable]()
        with self._lock:
            held = {key: seen for key, seen in self._seen.items() if seen.held}
            for key, seen in held.items():
                # One flood is told once: what a message held back belongs to what its place did.
                head = key if _place(seen.last) not in held else _place(seen.last)
                if whole or now - held[head].since >= WINDOW:
                    sums[head] += seen.held
                    del self._seen[key]
        return [_tell(held[head], count, now) for head, count in sums.items()]


def _place(record: logging.LogRecord | None) -> tuple[str, int] | None:
    return (record.pathname, record.lineno) if record else None


def _tell(seen: Seen, count: int, now: float) -> logging.LogRecord:
    last = seen.last
    assert last is not None  # it is held
    told = {**vars(last), "exc_info": None, "exc_text": None, "args": None, "suppressed": count}
    told["msg"] = f"{last.getMessage()} (and {count} more like this in {now - seen.since:.0f} s)"
    return logging.makeLogRecord(told)
