"""When to try again after a failed start: later each time, with jitter, within bounds."""

import random
import time

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
HOPELESS_AFTER = 3
MAX_DOUBLINGS = 12

_now = time.monotonic


class Backoff:
    """Counts failures in a row; `until` is the monotonic time before which nothing is tried."""

    def __init__(self) -> None:
        self.failures = 0
        self.until = 0.0

    @property
    def hopeless(self) -> bool:
        """Whether it has failed so often that nobody should wait for the next try."""
        return self.failures >= HOPELESS_AFTER

    @property
    def seconds(self) -> float:
        """Seconds until the next try."""
        return max(0.0, self.until - _now())

    def succeed(self) -> None:
        """Forget the failures."""
        self.failures = 0

    def fail(self) -> None:
        """One more failure in a row: wait twice as long."""
        self.failures += 1
        self.pause(LONGEST_PAUSE)

    def pause(self, longest: float) -> None:
        """Wait as the failures so far have it, but not longer than `longest` seconds."""
        pause = min(longest, FIRST_PAUSE * 2 ** min(self.failures, MAX_DOUBLINGS))
        self.until = _now() + pause * random.uniform(0.8, 1.0)  # noqa: S311 - jitter
