"""Which events are the same as an earlier one, by the key that a rule names."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial

from triggers.mqtt.messages import Delivery

MOST = 100_000
"""Keys that one rule remembers; the oldest are forgotten first."""


class Repeats:
    """Remembers keys for `window` seconds of the wall clock, since they outlive the host."""

    def __init__(self, window: float) -> None:
        self.window = window
        self._seen: OrderedDict[str, tuple[float, Delivery | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def is_repeat(self, key: str, delivery: Delivery) -> bool:
        """Whether an event with `key` came before; the repeat is finished when that one is."""
        now = time.time()
        # A clock that was set back makes no memory last longer than the window.
        known = self._seen.get(key)
        if known is not None and abs(now - known[0]) <= self.window:
            first = known[1]
            if first is None:
                delivery.finish()
            else:
                first.twins.append(delivery)
            return True
        self._seen[key] = now, delivery
        delivery.ended = partial(self._end, key, delivery)
        self._seen.move_to_end(key)
        self._forget(now)
        return False

    def learn(self, key: str, seen: float) -> None:
        """An earlier life of the host saw `key`, at `seen` seconds since the epoch."""
        self._seen.setdefault(key, (seen, None))

    def finished(self) -> Iterator[tuple[str, float]]:
        """Keys of events that are dealt with, and when they were seen: the others come again."""
        for key, (seen, delivery) in self._seen.items():
            if delivery is None:
                yield key, seen

    def _end(self, key: str, delivery: Delivery) -> None:
        """Its payload need not be remembered."""
        seen, known = self._seen.get(key, (0.0, None))
        if known is delivery:
            self._seen[key] = seen, None

    def _forget(self, now: float) -> None:
        while self._seen:
            key, (seen, _) = next(iter(self._seen.items()))
            if len(self._seen) <= MOST and abs(now - seen) <= self.window:
                return
            del self._seen[key]
