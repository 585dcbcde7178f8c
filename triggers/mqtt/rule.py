"""One rule at work: a message becomes one event per function, and is done when every result is confirmed."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from conf.bind import Bind
from runtime.events import Dispatch, Event, InputRejectedError, InvocationError
from triggers.delivery.lane import Lane, LaneParts, LanePlan
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.work import Reply, Work
from triggers.mqtt.devices import DeviceGuard, Refusal
from triggers.mqtt.endings import EndingParts, Endings
from triggers.mqtt.messages import Delivery, OnFailure
from triggers.mqtt.plan import MqttPlan, RulePlan
from triggers.mqtt.repeats import Repeats
from triggers.mqtt.results import Outlet
from triggers.mqtt.takers import UNREAD, Taker, Takers
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore

# Said by the devices themselves; a search is a hundred times faster than reading the event.
SEALED = re.compile(rb'"(?:encryption|compression)"\s*:\s*true')
NO_FUNCTION = "-"
LONGEST_REFUSED = 16 * 1024
"""Bytes that are kept of an event that its device may not send: it must not crowd out others' letters."""


def is_sealed(payload: bytes) -> bool:
    """Whether the event's `deviceInfo` says that it is encrypted or compressed."""
    return b'"deviceInfo"' in payload and SEALED.search(payload) is not None


@dataclass(frozen=True)
class RuleParts:
    """What a rule works with."""

    dispatch: Dispatch
    on_failure: OnFailure
    store: DeliveryStore
    failpoints: Failpoints


class Rule:
    """Feeds the functions of a rule and publishes what they return."""

    def __init__(self, plan: RulePlan, outlet: Outlet, parts: RuleParts) -> None:
        self.plan = plan
        self.lanes: list[Lane] = []
        self.repeats: Repeats | None = None
        self._guard: DeviceGuard | None = None
        self._leaving: list[Lane] = []
        self._begun = False
        self._parts = parts
        self._endings = Endings(
            plan.name, outlet, EndingParts(parts.on_failure, parts.store, parts.failpoints)
        )
        self.counters = self._endings.counters
        self.update(plan, outlet)

    def update(self, plan: RulePlan, outlet: Outlet) -> None:
        """From now on feed the functions of `plan`; what the others have already been given they finish."""
        if self._guard is None or _judging(plan) != _judging(self.plan):
            self._guard = self._make_guard(plan)
        known = {lane.plan.function: lane for lane in (*self._leaving, *self.lanes)}
        active = self.lanes
        self.plan = plan
        self.repeats = self._repeats(plan)
        self._endings.name, self._endings.sink = plan.name, outlet
        self._takers = Takers(plan)
        self.lanes = []
        for number, (name, _) in enumerate(plan.functions):
            wanted = lane_plan(plan, number)
            lane = known.pop(name, None) or self._make_lane(wanted)
            lane.plan = wanted
            self.lanes.append(lane)
            if self._begun and lane not in active:
                lane.stay()
        self._leaving = list(known.values())
        for lane in self._leaving:
            lane.leave()

    def _make_guard(self, plan: RulePlan) -> DeviceGuard | None:
        if plan.bind is None:
            return None
        return DeviceGuard(plan.bind, plan.care.device.split("."), asyncio.get_running_loop().time)

    def _repeats(self, plan: RulePlan) -> Repeats | None:
        dedupe = plan.care.dedupe
        if dedupe is None:
            return None
        repeats = self.repeats or Repeats(dedupe.window)
        repeats.window = dedupe.window
        return repeats

    def begin(self) -> None:
        """Work what an earlier life of the host has left on disk."""
        self._begun = True
        for lane in self.lanes:
            lane.begin()

    def succeed(self) -> None:
        """Work what a rule before this one has left on disk."""
        self._begun = True
        for lane in self.lanes:
            lane.stay()

    @property
    def lane_names(self) -> set[str]:
        """What its rows are called in the inbox."""
        return {lane.plan.name for lane in (*self.lanes, *self._leaving)}

    def left(self) -> list[str]:
        """Lanes to functions that are gone, and have nothing in memory any more; told once."""
        left = [lane for lane in self._leaving if not lane.busy]
        self._leaving = [lane for lane in self._leaving if lane.busy]
        return [lane.plan.name for lane in left]

    @property
    def idle(self) -> bool:
        """Whether nothing in memory that was received waits for an answer or for a confirmation."""
        return not any(lane.busy for lane in (*self.lanes, *self._leaving))

    def take(self, delivery: Delivery, known: Mapping[str, tuple[int, ...]]) -> None:
        """Run each function that takes it; `delivery` is finished when all results are confirmed.

        `known` are functions whose share an earlier life of the host has put on disk, and its rows.
        """
        self.counters.received += 1
        self.counters.sealed += is_sealed(delivery.payload)
        now = time.time()
        event = self._read(delivery)
        device = ""
        if self._guard is not None:
            device = self._guard.device_of(delivery)
            if self._is_refused(delivery, self._guard, (device, event, now), known):
                return
        if self._is_repeat(event, delivery, bool(known)):
            self.counters.repeated += 1
            return
        takers = self._takers_of(event)
        # All of them: none may tell another event, once this one is acknowledged.
        delivery.rows += [row for rows in known.values() for row in rows]
        takers = [taker for taker in takers if not self._is_known(taker, takers, known)]
        self.counters.repeated += bool(known) and not takers
        if event is None and not self._takers.takes_all and NO_FUNCTION not in known:
            self._refuse_unreadable(delivery, now)
            return
        delivery.parts = len(takers)
        for taker in takers:
            self.lanes[taker.index].submit(self._work(delivery, taker, event, now, device))
        if not takers:
            delivery.finish()

    def take_over(self) -> None:
        """Put on disk what its functions have not answered, so that it can be acknowledged."""
        if self._parts.store.takes_in:
            for lane in (*self.lanes, *self._leaving):
                lane.take_over()

    def tick(self) -> None:
        """Once in a while: go on with what the disk would not take."""
        for lane in (*self.lanes, *self._leaving):
            lane.tick()

    def close(self) -> None:
        """Dispatch nothing any more."""
        for lane in (*self.lanes, *self._leaving):
            lane.close()

    # -- from a message to its events

    def _read(self, delivery: Delivery) -> object:
        """The event as JSON, UNREAD when nobody asks, or None when it is none."""
        try:
            return self._takers.read(delivery.payload)
        except (ValueError, RecursionError):
            return None

    def _is_repeat(self, event: object, delivery: Delivery, known: bool) -> bool:
        key = self._takers.key_of(event)
        if not key or self.repeats is None:
            return False
        if known:
            self.repeats.learn(key, time.time())
        return not known and self.repeats.is_repeat(key, delivery)

    def _takers_of(self, event: object) -> list[Taker]:
        takers = self._takers.of(event)
        self.counters.unmatched += not takers and event is not None
        return takers

    def _is_known(self, taker: Taker, takers: list[Taker], known: Mapping[str, tuple[int, ...]]) -> bool:
        if self.lanes[taker.index].plan.function not in known:
            return False
        # Which of several devices a row is of it does not say: better twice than never.
        return sum(each.index == taker.index for each in takers) == 1

    def _refuse_unreadable(self, delivery: Delivery, now: float) -> None:
        error = InputRejectedError("the event is not JSON, so no device can be found in it")
        self._bury(delivery, self._event(delivery, now, None), error)

    def _bury(self, delivery: Delivery, event: Event, error: InvocationError) -> None:
        """Make a dead letter of an event that no function sees."""
        delivery.parts = 1
        work = Work(event, self._parts.store.next_seq(), delivery, delivery.qos > 0)
        self._endings.refuse(lane_name(self.plan, NO_FUNCTION), NO_FUNCTION, work, error)

    def _is_refused(
        self,
        delivery: Delivery,
        guard: DeviceGuard,
        said: tuple[str, object, float],
        known: Mapping[str, tuple[int, ...]],
    ) -> bool:
        """Whether the event, which came as one of a device at a time, is not what that device may send."""
        device, event, now = said
        if NO_FUNCTION in known:  # in an earlier life of the host
            delivery.rows += [row for rows in known.values() for row in rows]
            delivery.finish()
            return True
        refusal = None if known else guard.judge(device, event)
        if refusal is not None:
            self._refuse(delivery, refusal, now)
        return refusal is not None

    def _refuse(self, delivery: Delivery, refusal: Refusal, now: float) -> None:
        self.counters.refuse(refusal.reason)
        if not refusal.kept:
            self.counters.failed += 1
            self.counters.refused_unkept += 1
            delivery.finish()
            return
        event = self._event(delivery, now, refusal.device or None)
        event.body = event.body[:LONGEST_REFUSED]
        self._bury(delivery, event, refusal.error)

    def _work(self, delivery: Delivery, taker: Taker, event: object, now: float, bound: str) -> Work:
        care = self.plan.care
        device = taker.device or bound or (self._takers.device_of(event) if event is not UNREAD else "")
        key = "" if care.order == "none" else delivery.topic
        if care.order == "device" and device:
            key = device
        return Work(
            self._event(delivery, now, taker.device or bound or None, bound),
            self._parts.store.next_seq(),
            delivery,
            delivery.qos > 0,
            key,
            device if care.latest else "",
            Reply(delivery.response_topic, delivery.correlation),
            born=delivery.born,
        )

    def _event(self, delivery: Delivery, now: float, device: str | None, bound: str = "") -> Event:
        meta: dict[str, object] = {
            "topic": delivery.topic,
            "qos": delivery.qos,
            "retain": delivery.retain,
        }
        if device is not None:
            meta["device"] = device
        if delivery.user_properties:
            meta["headers"] = delivery.user_properties
        if delivery.traceparent is not None:
            meta["traceparent"] = delivery.traceparent
        name = self.plan.name
        # Bound devices take turns, as callers over HTTP do.
        caller = f"mqtt/{name}/{bound}" if bound else ""
        return Event(delivery.payload, delivery.content_type, "mqtt", name, meta, received=now, caller=caller)

    def _make_lane(self, plan: LanePlan) -> Lane:
        parts = self._parts
        return Lane(plan, LaneParts(parts.dispatch, self._endings, parts.store, parts.failpoints))


def _judging(plan: RulePlan) -> tuple[Bind | None, str]:
    """What devices are judged by; what is remembered of them stays as long as it does."""
    return plan.bind, plan.care.device


def lane_name(plan: RulePlan, function: str) -> str:
    """What the rule's rows for `function` are called in the inbox."""
    return f"mqtt/{plan.sub_broker}/{plan.sub_client_id}/{function}"


def lane_names(plan: MqttPlan) -> set[str]:
    """What the rows of all rules are called in the inbox."""
    return {lane_name(rule, function) for rule in plan.rules for function, _ in rule.functions}


def lane_plan(plan: RulePlan, number: int) -> LanePlan:
    """The plan of the lane to the rule's function `number`."""
    care = plan.care
    name = plan.functions[number][0]
    return LanePlan(
        lane_name(plan, name),
        name,
        care.retries[number] if care.retries else RetryPolicy(),
        ordered=care.order != "none",
        latest=care.latest,
        max_age=care.max_age,
    )
