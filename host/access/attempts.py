"""Bounds how many wrong tokens an address may try; a right one is never kept waiting."""

from collections import OrderedDict
from collections.abc import Callable

from conf.address import network_of

PER_MINUTE = 10
MOST_ADDRESSES = 4096


class Attempts:
    """A bucket of attempts for each address, refilled at ten a minute; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def note(self, peer: str) -> float:
        """Count a wrong token; returns 0, or the seconds until the address may try the next one."""
        whose, now = network_of(peer), self._clock()
        left, since = self._left.pop(whose, (float(PER_MINUTE), now))
        left = min(PER_MINUTE, left + (now - since) * PER_MINUTE / 60.0)
        allowed = left >= 1.0
        self._left[whose] = (left - 1.0 if allowed else left, now)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) * 60.0 / PER_MINUTE
