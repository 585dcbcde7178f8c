"""Rate limits: a token bucket, and a dispatch that refuses what comes faster than its function may be fed."""

import asyncio
import math
import time
import unicodedata
from collections.abc import Callable, Mapping

from runtime.events import Answer, Dispatch, Event, InvocationError, QueueFullError


class RateLimitedError(QueueFullError):
    """The function's rate limit is used up; `retry_after` is in whole seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = float(math.ceil(retry_after))


class RateLimit:
    """A token bucket: `count` at once, refilled evenly over `interval` seconds.

    Kept as one time, that at which the bucket will be full again (the generic cell rate algorithm of ITU-T
    I.371), so there is nothing to refill and no error to add up. `clock` gives seconds.
    """

    def __init__(self, count: int, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        if count < 1 or not interval > 0:
            raise ValueError("a rate limit lets at least 1 through in more than 0 seconds")
        self._period = interval / count
        self._slack = interval - self._period
        self._full_at = -math.inf
        self._clock = clock

    def take(self) -> float:
        """Take one token and return 0.0, or take none and return the seconds until there is one."""
        now = self._clock()
        full_at = max(self._full_at, now)
        delay = full_at - self._slack - now
        if delay > 0:
            return delay
        self._full_at = full_at + self._period
        return 0.0

    def delay(self) -> float:
        """The seconds until there is a token; 0.0 if there is one now."""
        return max(0.0, self._full_at - self._slack - self._clock())

    def give_back(self) -> None:
        """What a token was taken for did not happen."""
        self._full_at -= self._period

    async def wait(self) -> None:
        """Take one token as soon as there is one."""
        # Others may take what was waited for.
        while (delay := self.take()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(delay)


def limit_dispatch(dispatch: Dispatch, rates: Mapping[str, RateLimit]) -> Dispatch:
    """`dispatch`, but raising RateLimitedError for functions of `rates` that are invoked too often.

    A limit holds for all revisions and aliases of its function. An event that `dispatch` refuses at once
    costs nothing. `rates` is looked at anew for each event, so it may be changed.
    """

    def limited(target: str, event: Event) -> "asyncio.Future[Answer]":
        if not rates:
            return dispatch(target, event)
        function = unicodedata.normalize("NFC", target.partition("@")[0])
        rate = rates.get(function)
        if rate is None:
            return dispatch(target, event)
        if (delay := rate.take()) > 0:
            raise RateLimitedError(f"{function} is invoked more often than its rate limit allows", delay)
        try:
            return dispatch(target, event)
        except InvocationError:
            rate.give_back()
            raise

    return limited
