"""What becomes of an event that failed: it is logged, at most once a second per rule and function."""

import asyncio
import logging
from dataclasses import dataclass

from triggers.mqtt.messages import Failure

logger = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds."""


@dataclass(slots=True)
class _Quiet:
    """The time after a line; `unsaid` counts the failures in it, `last` is the latest of them."""

    ending: asyncio.TimerHandle
    unsaid: int = 0
    last: Failure | None = None


class FailureLog:
    """Logs failures of each `kind`; a function that fails on every event must not fill the disk with that.

    Those that come within a second after a line are counted, and said when it is over. For the event loop's
    thread.
    """

    def __init__(self, kind: str = "mqtt rule") -> None:
        self._kind = kind
        self._quiet: dict[tuple[str, str], _Quiet] = {}

    def __call__(self, failure: Failure) -> None:
        """Log `failure`, or count it for the next line."""
        key = failure.rule, failure.function
        if (quiet := self._quiet.get(key)) is not None:
            quiet.unsaid += 1
            quiet.last = failure
            return
        self._be_quiet(key)
        self._say(failure, "")

    def close(self) -> None:
        """Say at once what is not said yet; nothing is pending afterwards."""
        ended, self._quiet = self._quiet, {}
        for quiet in ended.values():
            quiet.ending.cancel()
            self._say_unsaid(quiet)

    def _be_quiet(self, key: tuple[str, str]) -> None:
        ending = asyncio.get_running_loop().call_later(INTERVAL, self._end_quiet, key)
        self._quiet[key] = _Quiet(ending)

    def _end_quiet(self, key: tuple[str, str]) -> None:
        quiet = self._quiet.pop(key)
        if quiet.last is not None:
            self._be_quiet(key)
            self._say_unsaid(quiet)

    def _say_unsaid(self, quiet: _Quiet) -> None:
        if quiet.last is not None:
            before = quiet.unsaid - 1
            self._say(quiet.last, f" (and {before} more before)" if before else "")

    def _say(self, failure: Failure, more: str) -> None:
        logger.warning(
            "%s %s: event %s failed in %s: %s%s",
            *(self._kind, failure.rule, failure.event.id, failure.function, failure.error, more),
            extra={
                "event": "event.failed",
                "rule": failure.rule,
                "id": failure.event.id,
                "function": failure.function,
                "error": type(failure.error).__name__,
            },
        )
