"""The time that the history goes by: seconds that no setting of the clock turns back or jumps over."""

import time
from collections.abc import Callable


def time_since_boot() -> float:
    """Seconds that go on while the machine sleeps (clock_gettime(2), CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


ROOM = 2 * 86400
"""Seconds that the axis has before it begins, at least: more than is kept."""
LATEST = 2**32 - 10 * 365 * 86400
"""Where it begins at the latest: a row has 32 bits for its time."""


class Axis:
    """Begins with the wall clock as it is now, where that can be, and then keeps to `clock`.

    A clock that is set changes what the rows are labelled with when somebody asks, all of them alike: a
    gateway without a battery starts in 1970, and learns the time later.
    """

    def __init__(
        self, clock: Callable[[], float] = time_since_boot, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall = wall
        began = min(max(wall(), 0.0), LATEST)
        # What a gateway that begins in 1970 kept of its earlier lives needs room before that.
        self._base = (began if began > ROOM else began + ROOM) - clock()

    def now(self) -> float:
        """Seconds on the axis."""
        return self._clock() + self._base

    @property
    def shift(self) -> int:
        """Whole seconds since the epoch less those of the axis: 0 until the clock is set."""
        return round(self._wall() - self.now())
