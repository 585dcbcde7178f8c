"""The timer trigger as the host sees it: set up from plans, started, asked for its state, stopped."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from triggers.delivery.lane_plan import LaneView
from triggers.delivery.orphans import Burials
from triggers.store.changes import SaveMoment
from triggers.timers.moments import Moments
from triggers.timers.plan import TimerPlan
from triggers.timers.timer import LANES, Timer, TimerParts, is_kept, lane_names

logger = logging.getLogger(__name__)

DRAIN_TIMEOUT = 10.0
DRAIN_TICK = 0.02
FORGOTTEN = 0.0
"""The moment that is saved of a timer that is gone: were it to come again, it would make up for nothing."""


@dataclass(frozen=True)
class TimerState:
    """One timer; `next` and `last` (None: not yet in this life of the host) are in seconds since the epoch.

    `fired` and `missed` count moments, `skipped` (the one before still waited) and `failed` events.
    """

    name: str
    schedule: str
    next: float
    last: float | None
    fired: int
    missed: int
    skipped: int
    failed: int


@dataclass(frozen=True)
class TimerView:
    """One timer at one moment: what it is to do, its counters, and what waits for each of its functions."""

    plan: TimerPlan
    state: TimerState
    lanes: tuple[LaneView, ...]


class TimerTrigger:
    """Owns all timers of a host."""

    def __init__(self, plans: tuple[TimerPlan, ...], parts: TimerParts) -> None:
        self._plans = plans
        self._parts = parts
        self._store = parts.keeping.store
        self._burials = Burials(self._store)
        self._timers: dict[str, Timer] = {}
        self._retired: dict[str, Timer] = {}
        self._started = False

    async def setup(self) -> None:
        """Build the timers, over an open store."""
        saved = await self._saved()
        for plan in self._plans:
            self._timers[plan.name] = self._make(plan, saved.get(plan.name) if is_kept(plan) else None)
        self._forget(saved.keys() - {plan.name for plan in self._plans if is_kept(plan)})

    async def start(self) -> None:
        """Begin to fire; moments that were missed since the host was down are made up for, or counted."""
        # What waits for timers that are gone becomes dead letters, to be replayed once they are back.
        there = lane_names(self._plans)
        self._burials.begin({each for each in self._store.lanes if each.startswith(LANES)} - there)
        self._started = True
        for timer in self._timers.values():
            timer.begin()

    async def retire(self, plans: tuple[TimerPlan, ...]) -> None:
        """Stop the timers that are not in `plans` as they are, and wait up to 10 s for what they run."""
        staying = set(plans)
        leaving = {name: timer for name, timer in self._timers.items() if timer.plan not in staying}
        for name in leaving:
            del self._timers[name]
        self._retired.update(leaving)
        await _end(leaving.values())
        self._burials.begin(lane_names(timer.plan for timer in leaving.values()) - lane_names(plans))
        if leaving:
            # Whoever follows reads what is left, and nothing of what is done.
            await self._burials.wait_for_disk()

    async def apply(self, plans: tuple[TimerPlan, ...]) -> None:
        """Go over to other plans; those that stay do not notice, or keep their moments if nothing else."""
        await self.retire(plans)
        await self._burials.stop(lane_names(plans))
        retired, self._retired = self._retired, {}
        self._plans = plans
        for plan in plans:
            if plan.name not in self._timers:
                self._timers[plan.name] = timer = self._succeed(plan, retired.pop(plan.name, None))
                if self._started:
                    timer.begin()
        self._forget(name for name, timer in retired.items() if is_kept(timer.plan))

    async def stop(self) -> None:
        """Fire nothing more, and wait up to 10 s for what runs; what is on disk stays there."""
        await _end(self._timers.values())
        await self._burials.stop()
        self._parts.failures.close()

    def wake(self, name: str) -> bool:
        """Rows were added for the lane `name`; False when no timer has one of that name."""
        for timer in self._timers.values():
            for lane in timer.lanes:
                if lane.plan.name == name:
                    lane.wake()
                    return True
        return False

    def state(self) -> list[TimerState]:
        """One entry per timer, in the order of the plans."""
        # In the middle of going over to other plans some are not there.
        return [_state(self._timers[plan.name]) for plan in self._plans if plan.name in self._timers]

    def views(self) -> list[TimerView]:
        """Each timer with its counters and its lanes."""
        there = (self._timers[plan.name] for plan in self._plans if plan.name in self._timers)
        return [
            TimerView(each.plan, _state(each), tuple(lane.view() for lane in each.lanes)) for each in there
        ]

    def lanes(self) -> list[tuple[str, str, LaneView]]:
        """What waits for functions: the timer's name, the function's, how much."""
        there = (self._timers[plan.name] for plan in self._plans if plan.name in self._timers)
        return [(timer.plan.name, lane.plan.function, lane.view()) for timer in there for lane in timer.lanes]

    def _make(self, plan: TimerPlan, last: float | None) -> Timer:
        moments = Moments(plan, self._parts.clock, last)
        if is_kept(plan) and last is None:
            # From now on a moment that the host is not there for is a missed one.
            self._store.submit(SaveMoment(plan.name, moments.since), durable=False)
        return Timer(plan, moments, self._parts)

    def _succeed(self, plan: TimerPlan, before: Timer | None) -> Timer:
        if before is None or _moments_of(before.plan) != _moments_of(plan):
            return self._make(plan, None)
        return Timer(plan, before.moments, self._parts)

    async def _saved(self) -> dict[str, float]:
        try:
            saved = await self._store.moments()
        except sqlite3.Error as error:
            logger.warning("when timers were last due cannot be read, so they start anew: %s", error)
            return {}
        return {name: moment for name, moment in saved.items() if moment != FORGOTTEN}

    def _forget(self, names: Iterable[str]) -> None:
        changes = [SaveMoment(name, FORGOTTEN) for name in names]
        if changes:
            self._store.submit(*changes, durable=False)


async def _end(timers: Iterable[Timer]) -> None:
    ending = list(timers)
    for timer in ending:
        timer.stop()
    loop = asyncio.get_running_loop()
    until = loop.time() + DRAIN_TIMEOUT
    # Polled, so that no lane must say on each event whether it has become idle.
    while loop.time() < until and any(timer.busy for timer in ending):  # noqa: ASYNC110
        await asyncio.sleep(DRAIN_TICK)


def _moments_of(plan: TimerPlan) -> tuple[float | None, str | None, str]:
    return plan.every, plan.cron, plan.timezone


def _state(timer: Timer) -> TimerState:
    plan = timer.plan
    schedule = f"every {plan.every:g}s" if plan.every is not None else f"{plan.cron} {plan.timezone}"
    return TimerState(
        name=plan.name,
        schedule=schedule,
        next=round(timer.moments.next, 3),
        last=timer.last,
        fired=timer.fired,
        missed=timer.missed,
        skipped=timer.skipped,
        failed=timer.failed,
    )
