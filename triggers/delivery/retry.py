"""When an event that failed is tried again: how often, how soon, and after which errors."""

import random
from dataclasses import dataclass

from runtime.events import (
    DeadlinePassedError,
    FunctionRaisedError,
    InstanceDiedError,
    QueueFullError,
    UnavailableError,
)

RAISED, DIED, TIMEOUT, OVERLOAD = "raised", "died", "timeout", "overload"
KINDS = (RAISED, DIED, TIMEOUT, OVERLOAD)
_TOLD: tuple[tuple[type[BaseException], str], ...] = (
    (FunctionRaisedError, RAISED),
    (InstanceDiedError, DIED),
    (DeadlinePassedError, TIMEOUT),
    (QueueFullError, OVERLOAD),
    (UnavailableError, OVERLOAD),
)


class HindranceError(UnavailableError):
    """The host cannot tell yet whether the event may run: it waits, under any policy."""


def kind_of(error: BaseException) -> str | None:
    """Which of KINDS an error is; None when the same event would only meet it again."""
    return next((kind for told, kind in _TOLD if isinstance(error, told)), None)


@dataclass(frozen=True)
class RetryPolicy:
    """`attempts` counts the first one; `backoff` and `longest` are in seconds.

    An overload (the queue is full, the pool does not run) is not the event's fault: where `on` has it, the
    event waits as long as it takes, and no attempt is counted.
    """

    attempts: int = 3
    backoff: float = 1.0
    longest: float = 300.0
    on: tuple[str, ...] = KINDS

    def repeats(self, error: BaseException, attempts: int) -> bool:
        """Whether an event that has had `attempts` attempts, the last ending with `error`, gets another."""
        kind = kind_of(error)
        if isinstance(error, HindranceError):
            return True
        return kind in self.on and (kind == OVERLOAD or attempts < self.attempts)

    def delay(self, attempts: int) -> float:
        """Seconds before the next attempt: full jitter below `backoff` times 1, 2, 4 … up to `longest`."""
        longest = min(self.backoff * 2.0 ** min(attempts - 1, 30), self.longest)
        return random.uniform(0, longest)  # noqa: S311 - spreads load, guards nothing
