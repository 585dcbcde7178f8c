"""Decides how long events of a vectorised model wait for company before they go as one batch."""

from runtime.spec import BatchRule

FADE = 0.1
"""What one batch weighs in the memory of how many events there usually are."""
QUIET = 0.25
"""The share of `max_wait` without an arrival after which nobody else is taken to come."""


class Gathering:
    """Waits only while a batch would grow.

    Callers that wait for their answers cannot send more, so the most events that were seen at a time (with a
    fading memory) are all that will come together: once so many wait, or none has come for a while, waiting
    is over. One caller alone is never kept waiting once that is learned, and what gathers while the instances
    are busy goes at once. Times are in seconds of the monotonic clock.
    """

    def __init__(self, rule: BatchRule) -> None:
        self._rule = rule
        self._usual = 1.0
        self._latest = 0.0

    def arrived(self, now: float) -> None:
        """An event came."""
        self._latest = now

    def pause(self, waiting: int, share: int, oldest: float, now: float) -> float:
        """Seconds for which the events that wait should wait on, 0.0 for not at all.

        `share` is among how many instances they are shared out, `oldest` when the first of them came.
        """
        rule = self._rule
        if waiting >= min(rule.max_size * share, round(self._usual)):
            return 0.0
        left = oldest + rule.max_wait - now
        quiet = self._latest + rule.max_wait * QUIET - now
        return max(0.0, min(left, quiet))

    def sent(self, together: int) -> None:
        """A batch went while so many events waited or ran."""
        self._usual = max(float(together), self._usual + (together - self._usual) * FADE)
