"""One rule at work: a message becomes one event per function, and is done when every result is confirmed."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from triggers.delivery.lane import Lane, LaneParts, LanePlan
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.work import Reply, Work
from triggers.mqtt.endings import EndingParts, Endings
from triggers.mqtt.entrance import NO_FUNCTION, Entrance, EntranceParts
from triggers.mqtt.feed import Feed
from triggers.mqtt.messages import Delivery, OnFailure, event_of
from triggers.mqtt.plan import MqttPlan, RulePlan, lane_name
from triggers.mqtt.repeats import Repeats
from triggers.mqtt.results import Outlet
from triggers.mqtt.takers import UNREAD, Taker, Takers
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore

# Said by the devices themselves; a search is a hundred times faster than reading the event.
SEALED = re.compile(rb'"(?:encryption|compression)"\s*:\s*true')


def is_sealed(payload: bytes) -> bool:
    """Whether the event's `deviceInfo` says that it is encrypted or compressed."""
    return b'"deviceInfo"' in payload and SEALED.search(payload) is not None


@dataclass(frozen=True)
class RuleParts:
    """What a rule works with."""

    feed: Feed
    on_failure: OnFailure
    store: DeliveryStore
    failpoints: Failpoints


class Rule:
    """Feeds the functions of a rule and publishes what they return."""

    def __init__(self, plan: RulePlan, outlet: Outlet, parts: RuleParts) -> None:
        self.plan = plan
        self.lanes: list[Lane] = []
        self.repeats: Repeats | None = None
        self._leaving: list[Lane] = []
        self._begun = False
        self._parts = parts
        self._endings = Endings(
            plan.name, outlet, EndingParts(parts.on_failure, parts.store, parts.failpoints)
        )
        self.counters = self._endings.counters
        self._entrance = Entrance(EntranceParts(self._endings, parts.feed.max_event, parts.store.next_seq))
        self.update(plan, outlet)

    def update(self, plan: RulePlan, outlet: Outlet) -> None:
        """From now on feed the functions of `plan`; what the others have already been given they finish."""
        known = {lane.plan.function: lane for lane in (*self._leaving, *self.lanes)}
        active = self.lanes
        self.plan = plan
        self.repeats = self._repeats(plan)
        self._endings.name, self._endings.sink = plan.name, outlet
        self._takers = Takers(plan)
        self._entrance.update(plan, self._takers)
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
        admitted = self._entrance.admit(delivery, known, now)
        if admitted is None:
            return
        event, device, why = admitted
        if self._is_repeat(event, delivery, bool(known)):
            self.counters.repeated += 1
            return
        takers = self._takers_of(event)
        # All of them: none may tell another event, once this one is acknowledged.
        delivery.rows += [row for rows in known.values() for row in rows]
        takers = [taker for taker in takers if not self._is_known(taker, takers, known)]
        self.counters.repeated += bool(known) and not takers
        if why is not None and not self._takers.takes_all and NO_FUNCTION not in known:
            self._entrance.bury_unread(delivery, why, now)
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

    def _work(self, delivery: Delivery, taker: Taker, event: object, now: float, bound: str) -> Work:
        care = self.plan.care
        device = taker.device or bound or (self._takers.device_of(event) if event is not UNREAD else "")
        key = "" if care.order == "none" else delivery.topic
        if care.order == "device" and device:
            key = device
        told = event_of(delivery, self.plan.name, now, taker.device or bound or None, bound)
        told.device = device
        return Work(
            told,
            self._parts.store.next_seq(),
            delivery,
            delivery.qos > 0,
            key,
            device if care.latest else "",
            Reply(delivery.response_topic, delivery.correlation),
            born=delivery.born,
        )

    def _make_lane(self, plan: LanePlan) -> Lane:
        parts = self._parts
        return Lane(plan, LaneParts(parts.feed.dispatch, self._endings, parts.store, parts.failpoints))


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
