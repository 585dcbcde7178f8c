"""What is due when: keys with their times, and one timer for the first of them."""

import asyncio
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

SHORTEST = 0.001

Key = TypeVar("Key", bound=Hashable)


class Dues(Generic[Key]):
    """Times are those of the monotonic clock; `wake` is called when one may have come."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._times: dict[Key, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def set(self, key: Key, time: float) -> None:
        """It is due then, and at no other time."""
        self._times[key] = time

    def drop(self, *keys: Key) -> None:
        """They are not due any more."""
        for key in keys:
            self._times.pop(key, None)

    def take(self, now: float) -> list[Key]:
        """Those that are due by now, which are dropped."""
        passed = [key for key, time in self._times.items() if time <= now]
        self.drop(*passed)
        return passed

    def rearm(self, now: float, others: Iterable[float] = ()) -> None:
        """Wake at the first time from now on, or at one of the `others`.

        `now` is what `take` went by: what it saw as not yet due must be seen so here, or it would be
        forgotten.
        """
        self.stop()
        if times := [*self._times.values(), *others]:
            self._timer = self._loop.call_later(max(SHORTEST, min(times) - now), self._wake)

    def stop(self) -> None:
        """Wake no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
