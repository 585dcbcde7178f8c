"""How long a connection that failed waits before it is tried again."""

import random
from dataclasses import dataclass
from enum import Enum


class Retry(Enum):
    """When trying again may help: at the ladder's first step, at its next one, or once somebody mends it."""

    SOON = "soon"
    NEXT = "next"
    SLOW = "slow"


@dataclass(frozen=True)
class Delays:
    """Seconds: the ladder's first and longest step, the step of what somebody must mend, and how long a
    connection must live to begin anew. Without the last, two clients with one id would race for it.
    """

    first: float = 1.0
    longest: float = 30.0
    slow: float = 30.0
    stable: float = 10.0


class Ladder:
    """Full jitter below 1, 2, 4 … 30 s, so that many clients do not come back as one."""

    def __init__(self, delays: Delays) -> None:
        self._delays = delays
        self._attempt = 0

    def stable(self, lived: float) -> bool:
        """Whether a connection that lived for `lived` seconds was a good one."""
        return lived > self._delays.stable

    def delay(self, retry: Retry, lived: float) -> float:
        """Seconds to wait after a connection that lived for `lived` seconds."""
        if self.stable(lived):
            self._attempt = 0
        if retry is Retry.SLOW:
            return self._delays.slow * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load
        step = 0 if retry is Retry.SOON else self._attempt
        longest = min(self._delays.first * 2.0 ** min(step, 30), self._delays.longest)
        self._attempt += retry is Retry.NEXT
        return random.uniform(0.05 * self._delays.first, longest)  # noqa: S311 - spreads load
