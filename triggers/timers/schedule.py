"""When a timer is due: the moments of an interval, and those that a line of cron names."""

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import islice, takewhile
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

MOST_COUNTED = 1000
"""Moments of cron that are counted, at 60 µs each: nobody needs to know how many more there were."""


class Passed(NamedTuple):
    """The latest moment in a span of time, or without one where the span begins, and how many there are."""

    latest: float
    number: int


class Schedule(Protocol):
    """Moments, in seconds of the one clock that the schedule goes by."""

    def after(self, moment: float) -> float:
        """The first moment later than `moment`."""

    def passed(self, since: float, now: float) -> Passed:
        """What lies after `since`, up to and with `now`."""


class Every:
    """Each `period` seconds before and after `anchor`, reckoned from there each time: nothing drifts."""

    def __init__(self, anchor: float, period: float) -> None:
        self._anchor = anchor
        self._period = period

    def after(self, moment: float) -> float:
        """The first moment later than `moment`."""
        return self._moment(self._number_after(moment))

    def passed(self, since: float, now: float) -> Passed:
        """What lies after `since`, up to and with `now`."""
        beyond = self._number_after(now)
        number = beyond - self._number_after(since)
        return Passed(self._moment(beyond - 1), number) if number > 0 else Passed(since, 0)

    def _number_after(self, moment: float) -> int:
        number = math.floor((moment - self._anchor) / self._period)
        # Rounding may have put a moment just before itself.
        while self._moment(number) <= moment:
            number += 1
        return number

    def _moment(self, number: int) -> float:
        return self._anchor + number * self._period


class Cron:
    """The moments of a line of cron on the clocks of a time zone, in seconds since the epoch.

    A moment that the clocks leave out when they are set forward comes at the first one that they show after
    that. An hour that they show twice when they are set back counts the second time only for lines that go by
    every hour (as Vixie cron has it).
    """

    def __init__(self, line: str, timezone: str) -> None:
        # It takes 50 ms, which only those pay who have timers.
        from croniter import croniter

        self._croniter = croniter
        self._line = line
        self._zone = ZoneInfo(timezone)
        self._every_hour = croniter.expand(line)[0][1] == ["*"]

    def after(self, moment: float) -> float:
        """The first moment later than `moment`."""
        return next(self._walk(moment, "get_next"))

    def passed(self, since: float, now: float) -> Passed:
        """What lies after `since`, up to and with `now`; the number is MOST_COUNTED at most."""
        following = self._walk(since, "get_next")
        found = list(takewhile(lambda moment: moment <= now, islice(following, MOST_COUNTED)))
        if len(found) < MOST_COUNTED:
            return Passed(found[-1] if found else since, len(found))
        # A whole second's own moment is before the next one.
        return Passed(next(self._walk(math.floor(now) + 1, "get_prev")), MOST_COUNTED)

    def _walk(self, start: float, step: str) -> Iterator[float]:
        """The moments after `start`, or with `get_prev` before it, from the nearest on."""
        walk = getattr(self._croniter(self._line, datetime.fromtimestamp(start, self._zone)), step)
        while True:
            found: datetime = walk(datetime)
            if self._every_hour or not found.fold:
                yield found.timestamp()
