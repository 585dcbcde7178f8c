"""How long a lane waits before it tries again a function that takes nothing."""

import asyncio
import random
from collections.abc import Callable

FULL_DELAY = 0.05
FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


class Pause:
    """Calls `resume` at its end. While the pool does not run, each is longer than the one before."""

    def __init__(self, resume: Callable[[], None]) -> None:
        self._resume = resume
        self._loop = asyncio.get_running_loop()
        self._delay = FIRST_DELAY
        self._timer: asyncio.TimerHandle | None = None
        self._full = False

    def __bool__(self) -> bool:
        return self._timer is not None

    def full(self) -> None:
        """The pool's queue is full: until one of it is answered, or not for long."""
        self._begin(FULL_DELAY, full=True)

    def unavailable(self) -> None:
        """The pool does not run."""
        if self._begin(self._delay * random.uniform(0.5, 1), full=False):  # noqa: S311 - spreads load
            self._delay = min(self._delay * 2, LONGEST_DELAY)

    def answered(self) -> None:
        """The pool runs."""
        self._delay = FIRST_DELAY

    def room(self) -> None:
        """An event has left the pool."""
        if self._full:
            self.end()

    def end(self) -> None:
        """Go on at once."""
        self._full = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self, delay: float, *, full: bool) -> bool:
        if self._timer is not None:
            return False
        self._full = full
        self._timer = self._loop.call_later(delay, self._over)
        return True

    def _over(self) -> None:
        self.end()
        self._resume()
