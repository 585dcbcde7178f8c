"""Whether a broker holds messages back because too many of ours are unacknowledged."""

OLD = 0.2
"""Seconds: as long as nothing waits longer, nothing needs to be taken over to disk."""
QUIET = 0.1
USUAL = 20
"""mosquitto sends so many and then waits, whatever the receive maximum is, unless it is told otherwise."""
FIRST_PROBE, LONGEST_PROBE = 5.0, 600.0
PROBE_ANSWER = 0.5


class Flow:
    """Judges one subscription; all times are of the event loop, in seconds.

    Brokers do not say how many messages they send before they wait for an acknowledgement. `limit` or more,
    and silence, look like that. A lower limit is found by trying: messages that wait for seconds are taken
    over and acknowledged once, and if at once as many come, the broker was holding them back.
    """

    def __init__(self) -> None:
        self.limit = USUAL
        self._heard = 0.0
        self._probe_at = 0.0
        self._wait = FIRST_PROBE
        self._probed: tuple[float, int] | None = None
        self._since = 0

    def received(self, now: float, outstanding: int) -> None:
        """A message has come; `outstanding` are unacknowledged, it among them."""
        self._heard = now
        self.limit = max(self.limit, min(outstanding, USUAL))
        if self._probed is not None:
            self._since += 1
            self._take_answer(now, *self._probed)

    def is_held_back(self, now: float, oldest: float, outstanding: int) -> bool:
        """Whether what was received at `oldest` and later should make room."""
        age = now - oldest
        if age <= OLD:
            return False
        if outstanding >= self.limit:
            return now - self._heard > QUIET or age > 1.0
        if age <= FIRST_PROBE or now < self._probe_at:
            return False
        self._probed, self._since = (now, outstanding), 0
        self._probe_at = now + self._wait
        self._wait = min(self._wait * 2, LONGEST_PROBE)
        return True

    def _take_answer(self, now: float, began: float, outstanding: int) -> None:
        if now - began > PROBE_ANSWER:
            self._probed = None
        elif self._since >= outstanding:
            self._probed = None
            self._wait = FIRST_PROBE
            self.limit = outstanding
