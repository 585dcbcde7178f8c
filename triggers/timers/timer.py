"""One timer at work: at each of its moments, one event for each of its functions."""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from conf.quantities import say_count
from runtime.events import Dispatch, Event, Timeline
from triggers.delivery.keeping import Keeping
from triggers.delivery.lane import Lane, LaneParts, LanePlan
from triggers.delivery.work import Work, row_of
from triggers.mqtt.endings import EndingParts, Endings
from triggers.mqtt.failures import FailureLog
from triggers.mqtt.publishers import Publishers
from triggers.store.changes import AddEvents, SaveMoment
from triggers.timers.moments import Clock, Due, Moments
from triggers.timers.plan import TimerPlan
from triggers.timers.sink import TimerSink

logger = logging.getLogger(__name__)

LANES = "timer/"
KEPT_FROM = 10.0
"""Seconds: the events of timers with such a period are on disk before they run. Flash cards wear out."""
MOST_RESULTS = 1000
QUIET = 60.0
"""Seconds between two lines about the same thing."""


@dataclass(frozen=True)
class TimerParts:
    """What a timer works with; `failures` is told of each failed event."""

    dispatch: Dispatch
    keeping: Keeping
    publishers: Publishers
    failures: FailureLog = field(default_factory=lambda: FailureLog("timer"))
    clock: Clock = field(default_factory=Clock)


class Passing:
    """The origin of an event that nobody sends again, and that is not on disk unless there is room for it."""

    source = None

    def noted(self, row: int) -> None:
        """It cannot come a second time."""

    def watch(self, timeline: Timeline) -> None:
        """There is nobody who hears of it."""

    def part_done(self) -> None:
        """There is nobody to tell."""


class Timer:
    """Looks at the clock by itself, from `begin` to `stop`. `last` is when it fired last, since the epoch."""

    def __init__(self, plan: TimerPlan, moments: Moments, parts: TimerParts) -> None:
        self.plan = plan
        self.moments = moments
        self.last: float | None = None
        self.fired = self.missed = self.skipped = 0
        self._parts = parts
        self._store, self._failpoints = parts.keeping.store, parts.keeping.failpoints
        self._endings = Endings(
            plan.name,
            TimerSink(plan, parts.publishers),
            EndingParts(parts.failures, self._store, self._failpoints),
        )
        self.lanes = [self._lane(number) for number in range(len(plan.functions))]
        self._looking: asyncio.TimerHandle | None = None
        self._quiet: dict[str, float] = {}

    @property
    def failed(self) -> int:
        """Events that have become dead letters."""
        return self._endings.counters.failed

    @property
    def busy(self) -> bool:
        """Whether an event in memory has no answer, or a result no confirmation."""
        return any(lane.busy for lane in self.lanes)

    def begin(self) -> None:
        """Work what is on disk, and fire from now on."""
        for lane in self.lanes:
            # Rows may have come since the store was opened.
            lane.stay()
        self._wait()

    def look(self) -> None:
        """Fire if a moment has come since the last look."""
        for lane in self.lanes:
            lane.tick()
        due = self.moments.look()
        if due is not None:
            self._meet(due)

    def stop(self) -> None:
        """Fire and dispatch nothing any more; what is on disk stays there."""
        if self._looking is not None:
            self._looking.cancel()
        for lane in self.lanes:
            lane.close()

    def _wait(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(self.moments.delay, self._look_again)

    def _look_again(self) -> None:
        try:
            self.look()
        except Exception:
            # A timer that looks no more would be silent until the host is restarted.
            logger.exception("timer %s: an error of ours, and it goes on", self.plan.name)
        self._wait()

    def _meet(self, due: Due) -> None:
        fires = due.on_time or self.plan.catch_up
        missed = due.number - fires
        if missed:
            self.missed += missed
            told = f"{say_count(missed, 'moment')} {'was' if missed == 1 else 'were'} missed"
            makes_up = f"; one event makes up for {'it' if missed == 1 else 'them'}" if fires else ""
            why = "since the host was down, asleep or busy, or its clock was set"
            self._say("missed", f"{told}, {why}{makes_up}")
        if fires:
            self._fire(due.moment)
        elif is_kept(self.plan):
            self._store.submit(SaveMoment(self.plan.name, due.moment), durable=False)

    def _fire(self, moment: float) -> None:
        self.fired += 1
        self.last = moment
        self._failpoints.reach("timer.due")
        # A function that is due now is not kept waiting for a disk that takes nothing.
        if is_kept(self.plan) and self._store.takes_in:
            self._commit(moment)
            return
        if is_kept(self.plan):
            # As soon as it takes anything, a restart does not make up for this moment again.
            self._store.submit(SaveMoment(self.plan.name, moment), durable=False)
        for lane in self.lanes:
            self._submit(lane, moment)

    # -- by way of the disk

    def _commit(self, moment: float) -> None:
        rows = tuple(row_of(self._work(moment), lane.plan.name) for lane in self.lanes)
        future = self._store.submit(AddEvents(rows), SaveMoment(self.plan.name, moment))
        future.add_done_callback(self._committed)

    def _committed(self, future: "asyncio.Future[None]") -> None:
        if future.cancelled():
            return
        if (error := future.exception()) is not None:
            logger.error(
                "timer %s: its event cannot be written: %s",
                self.plan.name,
                error,
                extra={"timer": self.plan.name},
            )
            return
        for lane in self.lanes:
            lane.wake()

    # -- by way of the memory

    def _submit(self, lane: Lane, moment: float) -> None:
        if lane.events or lane.results >= MOST_RESULTS:
            self.skipped += 1
            self._say(
                "skipped",
                f"an event for {lane.plan.function} is skipped, since the one before it still waits"
                f" ({self.skipped} so far)",
            )
            return
        work = self._work(moment)
        work.origin, work.born = Passing(), asyncio.get_running_loop().time()
        lane.submit(work)

    def _work(self, moment: float) -> Work:
        plan = self.plan
        scheduled = datetime.fromtimestamp(moment, ZoneInfo(plan.timezone)).isoformat(timespec="milliseconds")
        body, content_type = plan.payload, plan.content_type
        if body is None:
            told = {"timer": plan.name, "time": scheduled}
            body, content_type = json.dumps(told, ensure_ascii=False).encode(), "application/json"
        meta: dict[str, object] = {"timer": plan.name, "scheduled": scheduled}
        event = Event(body, content_type, "timer", plan.name, meta, received=self._parts.clock.wall())
        return Work(event, self._store.next_seq())

    def _lane(self, number: int) -> Lane:
        function = self.plan.functions[number]
        plan = LanePlan(lane_name(self.plan, function), function, self.plan.retries[number])
        return Lane(plan, LaneParts(self._parts.dispatch, self._endings, self._store, self._failpoints))

    def _say(self, kind: str, what: str) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._quiet.get(kind, 0.0):
            self._quiet[kind] = now + QUIET
            logger.warning("timer %s: %s", name := self.plan.name, what, extra={"event": kind, "timer": name})


def is_kept(plan: TimerPlan) -> bool:
    """Whether the timer's events are on disk before they run."""
    return plan.every is None or plan.every >= KEPT_FROM


def lane_names(plans: Iterable[TimerPlan]) -> set[str]:
    """What the rows of these timers are called in the inbox."""
    return {lane_name(plan, function) for plan in plans for function in plan.functions}


def lane_name(plan: TimerPlan, function: str) -> str:
    """What the timer's rows for `function` are called in the inbox."""
    return f"{LANES}{plan.name}/{function}"
