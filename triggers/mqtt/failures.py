"""What becomes of an event that failed: it is logged, at most once a second per rule and function."""

import logging
import time

from triggers.mqtt.messages import Failure

logger = logging.getLogger(__name__)

INTERVAL = 1.0


class FailureLog:
    """Logs failures of each `kind`; a function that fails on every event must not fill the disk with that."""

    def __init__(self, kind: str = "mqtt rule") -> None:
        self._kind = kind
        self._quiet_until: dict[tuple[str, str], float] = {}
        self._unsaid: dict[tuple[str, str], int] = {}

    def __call__(self, failure: Failure) -> None:
        """Log `failure`, or count it for the next line."""
        key = failure.rule, failure.function
        now = time.monotonic()
        if now < self._quiet_until.get(key, 0.0):
            self._unsaid[key] = self._unsaid.get(key, 0) + 1
            return
        self._quiet_until[key] = now + INTERVAL
        unsaid = self._unsaid.pop(key, 0)
        logger.warning(
            "%s %s: event %s failed in %s: %s%s",
            self._kind,
            failure.rule,
            failure.event.id,
            failure.function,
            failure.error,
            f" (and {unsaid} more before)" if unsaid else "",
        )
