"""What a pool measures for the autoscaler, what is decided for it, and the sentence that says why."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

from runtime.spec import ScaleRule

Temperature = Literal["hot", "warm", "cold"]
Why = Literal[
    "load",
    "burst",
    "waiting",
    "first event",
    "stable window",
    "idle",
    "keep_warm",
    "min",
    "max",
    "fixed",
    "memory",
    "failing",
]

LIMITS: tuple[Why, ...] = ("max", "fixed", "memory", "failing")
"""Reasons for which a count is not what the load asks for."""
GIB = 1024 * 1024 * 1024
MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class Room:
    """What the memory budget leaves for one pool: `instances` more; sizes are in bytes.

    `low` says that it is the machine itself that has hardly any memory left, whatever the pools use.
    """

    instances: int
    used: int
    budget: int
    low: bool = False


@dataclass(frozen=True, slots=True)
class Measurement:
    """One look at a pool. Times are monotonic seconds; `arrived` counts events since the pool was made.

    `waiting` are events that no instance holds, `running` those that instances hold, `busy` the instances
    that hold any. `service_time` is the time for which one event takes one place of an instance (its share of
    a batch), in seconds, smoothed; None until a first answer. `instances` are ready or starting, not
    retiring, `ready` those that take events; `last_used` is when an event last came or ended, or when the
    pool was made. `fixed` is what `fnhost scale NAME n` asked for. `failing` says that its starts or
    instances die again and again. `room` is filled in by the scaler; None: as many as `max` allows.
    """

    now: float
    arrived: int
    waiting: int
    running: int
    busy: int
    service_time: float | None
    instances: int
    temperature: Temperature
    last_used: float
    fixed: int | None = None
    ready: int = 0
    failing: bool = False
    room: Room | None = None

    @property
    def idle(self) -> bool:
        """Whether no event is there."""
        return not self.waiting and not self.running


@dataclass(frozen=True, slots=True)
class Need:
    """What the load alone asks for: `rate` in events/s, `load` in instances' time at the target's share."""

    instances: int
    why: Why
    rate: float = 0.0
    load: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """How many instances there shall be, at which temperature and why, with all it was made from."""

    wanted: int
    temperature: Temperature
    why: Why
    before: int
    was: Temperature
    rule: ScaleRule
    seen: Measurement
    need: Need

    @property
    def changes(self) -> bool:
        """Whether it differs from the decision before it."""
        return (self.wanted, self.temperature) != (self.before, self.was)

    @property
    def held_back(self) -> bool:
        """Whether more are needed or promised, and only memory stands in the way."""
        seen, rule = self.seen, self.rule
        promised = rule.min if seen.fixed is None else seen.fixed
        asked = max(promised, min(self.need.instances, seen.fixed or rule.max))
        return seen.room is not None and not seen.failing and asked > self.wanted

    @property
    def sentence(self) -> str:
        """What was decided and why, with the numbers, for people."""
        return f"{_name_change(self)}: {_name_reason(self)}"


@dataclass(frozen=True, slots=True)
class Record:
    """A decision that was kept; `at` is in seconds since the epoch."""

    at: float
    decision: Decision

    @property
    def sentence(self) -> str:
        """The decision's sentence after the local time of day."""
        return f"{time.strftime('%H:%M:%S', time.localtime(self.at))} {self.decision.sentence}"


class History:
    """The last decisions of one pool that changed something, newest last."""

    def __init__(self) -> None:
        self.records: deque[Record] = deque(maxlen=MOST_KEPT)
        self._said: set[Why] = set()

    def note(self, decision: Decision) -> bool:
        """Keep it when the count, the temperature or the reason is news; whether that is so."""
        if decision.changes:
            self._said.clear()
        elif decision.why in self._said or decision.why not in LIMITS:
            # A limit that is met now and then would else fill the whole record.
            return False
        self._said.add(decision.why)
        self.records.append(Record(time.time(), decision))
        return True


def _name_change(decision: Decision) -> str:
    wanted, before = decision.wanted, decision.before
    if wanted == before == 0:
        return (
            f"{decision.temperature} instead of {decision.was}" if decision.changes else "no instance still"
        )
    if wanted == 0:
        return f"no instance instead of {before}, {decision.temperature}"
    now = f"{wanted} instance{'s' if wanted > 1 else ''}"
    return f"{now} still" if wanted == before else f"{now} instead of {before or 'none'}"


def _name_reason(decision: Decision) -> str:
    seen, rule, need = decision.seen, decision.rule, decision.need
    if decision.why in ("load", "burst"):
        over = "in the last second " if decision.why == "burst" else ""
        return f"{need.rate:.3g} events/s {over}take {_name_time(seen)} each, {_name_load(decision)}"
    if decision.why == "waiting":
        return f"{_count(seen.waiting, 'event')} waiting, {seen.running} running, {_name_time(seen)} each"
    return {
        "first event": f"{_count(seen.waiting, 'event')} came while it was {decision.was}",
        "stable window": f"no more than {decision.wanted} needed for a minute",
        "idle": f"no event for {seen.now - seen.last_used:.3g} s (idle is {rule.idle:g} s)",
        "keep_warm": f"no event while it was warm (keep_warm is {rule.keep_warm:g} s)",
        "min": f"min is {rule.min}",
        "max": f"max is {rule.max}, and {need.instances} are needed",
        "fixed": f"exactly {seen.fixed} asked for by `fnhost scale`",
        "failing": "its instances die or do not start, and more of them would not help",
        "memory": _name_memory(decision),
    }[decision.why]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _name_time(seen: Measurement) -> str:
    if seen.service_time is None:
        return "an unknown time"
    return f"{seen.service_time * 1000:.3g} ms" if seen.service_time < 1 else f"{seen.service_time:.3g} s"


def _name_load(decision: Decision) -> str:
    places = f"which is {decision.need.load:.2g} instances' time at a target of {decision.rule.target:g}"
    waiting = decision.seen.waiting
    return f"{places}, with {waiting} waiting" if waiting else places


def _name_memory(decision: Decision) -> str:
    room, wanted = decision.seen.room, decision.wanted
    if room is None:
        return "the memory budget is used up"
    use = f"pools use {room.used / GIB:.2f} of {room.budget / GIB:.2f} GiB"
    if room.low:
        use = "the machine has less than 5 % of its memory available"
    if decision.need.instances > wanted:
        return f"{_count(decision.need.instances, 'instance')} needed, but {use}"
    return f"{use}; the least recently used idle function goes first"
