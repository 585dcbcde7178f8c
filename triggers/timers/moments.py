"""Which moments of a timer have come, by clocks that stand still, are set, or jump."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from triggers.timers.plan import TimerPlan
from triggers.timers.schedule import Cron, Every, Schedule

STEP = 5.0
"""Seconds between two looks at the clock at most: so soon it is noticed that it was set."""
ON_TIME = 30.0
"""Seconds that a moment may be late, for the host was busy or its clock was set, and counts all the same."""
SET_BACK = 60.0
"""Seconds that a clock may be set back without moments that have come coming again."""
SHORTEST = 0.001


def steady_time() -> float:
    """Seconds since the machine was started, those included that it slept."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Clock:
    """`wall` gives seconds since the epoch and may jump; `steady` goes on evenly."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = steady_time


class Due(NamedTuple):
    """`number` moments have come, the latest at `moment` (seconds since the epoch), `on_time` or long ago."""

    moment: float
    number: int
    on_time: bool


class Moments:
    """The moments of one timer: of `every` by the steady clock, of `cron` by the wall clock."""

    def __init__(self, plan: TimerPlan, clock: Clock, last: float | None = None) -> None:
        """`last`: up to when an earlier life of the host has dealt with them, in seconds since the epoch."""
        self._clock = clock
        self._steady = plan.every is not None
        self._now = clock.steady if self._steady else clock.wall
        self._begun = now = self._now()
        self._since = now
        if last is not None:
            ahead = last - clock.wall()
            # What is far ahead was written by a clock that was wrong.
            self._since += ahead if ahead <= SET_BACK else 0.0
        self._schedule: Schedule
        if plan.every is not None:
            self._since = min(self._since, now)
            self._schedule = Every(self._since, plan.every)
        else:
            self._schedule = Cron(str(plan.cron), plan.timezone)
        self._next = self._schedule.after(self._since)

    @property
    def since(self) -> float:
        """Up to when moments were dealt with, in seconds since the epoch."""
        return self._wall(self._since)

    @property
    def next(self) -> float:
        """The next moment, in seconds since the epoch."""
        return self._wall(self._next)

    @property
    def delay(self) -> float:
        """Seconds until the next look."""
        return max(SHORTEST, min(STEP, self._next - self._now()))

    def look(self) -> Due | None:
        """What has come since the last look; each moment comes once."""
        now = self._now()
        if now < self._since - SET_BACK:
            self._go_on(now)
        self._begun = min(self._begun, now)
        if now < self._next:
            return None
        latest, number = self._schedule.passed(self._since, now)
        self._go_on(latest)
        return Due(self._wall(latest), number, latest > self._begun and now - latest <= ON_TIME)

    def _go_on(self, since: float) -> None:
        self._since = since
        self._next = self._schedule.after(since)

    def _wall(self, moment: float) -> float:
        return self._clock.wall() + moment - self._now() if self._steady else moment
