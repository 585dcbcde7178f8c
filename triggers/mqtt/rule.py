"""One rule at work: a message becomes one event per function, and is done when every result is confirmed."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from runtime.events import Answer, Dispatch, Event, InputRejectedError, InvocationError
from triggers.delivery.changes import AddLetters, Change, DropEvents
from triggers.delivery.failpoints import Failpoints
from triggers.delivery.lane import Lane, LaneParts, LanePlan, Reason
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.store import DeliveryStore
from triggers.delivery.work import Place, Reply, Work
from triggers.mqtt.letters import letter_of
from triggers.mqtt.messages import Counters, Delivery, Failure, OnFailure
from triggers.mqtt.plan import RulePlan
from triggers.mqtt.publisher import DROPPED
from triggers.mqtt.repeats import Repeats
from triggers.mqtt.results import Outlet
from triggers.mqtt.takers import UNREAD, Taker, Takers

# Said by the devices themselves; a search is a hundred times faster than reading the event.
SEALED = re.compile(rb'"(?:encryption|compression)"\s*:\s*true')
MOST_UNSURE_LETTERS = 1000
NO_FUNCTION = "-"


def is_sealed(payload: bytes) -> bool:
    """Whether the event's `deviceInfo` says that it is encrypted or compressed."""
    return b'"deviceInfo"' in payload and SEALED.search(payload) is not None


class ResultRefusedError(InvocationError):
    """The target broker would not take a result."""


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
        self.counters = Counters()
        self.lanes: list[Lane] = []
        self.repeats = Repeats(plan.care.dedupe.window) if plan.care.dedupe else None
        self._leaving: list[Lane] = []
        self._parts = parts
        self._unsure_letters = 0
        self.update(plan, outlet)

    def update(self, plan: RulePlan, outlet: Outlet) -> None:
        """From now on feed the functions of `plan`; what the others have already been given they finish."""
        known = {lane.plan.function: lane for lane in self.lanes}
        self.plan = plan
        self._outlet = outlet
        self._takers = Takers(plan)
        self.lanes = []
        for number, (name, _) in enumerate(plan.functions):
            wanted = lane_plan(plan, number)
            lane = known.pop(name, None) or self._make_lane(wanted)
            lane.plan = wanted
            self.lanes.append(lane)
        self._leaving = [lane for lane in (*self._leaving, *known.values()) if lane.busy]

    def begin(self) -> None:
        """Work what an earlier life of the host has left on disk."""
        for lane in self.lanes:
            lane.begin()

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
        if not known and self._is_repeat(event, delivery):
            self.counters.repeated += 1
            return
        takers = self._takers_of(event)
        for taker in takers if known else ():
            delivery.rows += known.get(self.lanes[taker.index].plan.function, ())
        takers = [taker for taker in takers if not self._is_known(taker, takers, known)]
        self.counters.repeated += bool(known) and not takers
        if event is None and not self._takers.takes_all:
            self._refuse_unreadable(delivery, now)
            return
        delivery.parts = len(takers)
        for taker in takers:
            self.lanes[taker.index].submit(self._work(delivery, taker, event, now))
        if not takers:
            delivery.finish()

    def take_over(self) -> None:
        """Put on disk what its functions have not answered, so that it can be acknowledged."""
        if self._parts.store.takes_in:
            for lane in self.lanes:
                lane.take_over()

    def tick(self) -> None:
        """Once in a while: go on with what the disk would not take."""
        for lane in self.lanes:
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

    def _is_repeat(self, event: object, delivery: Delivery) -> bool:
        key = self._takers.key_of(event) if self.repeats is not None else ""
        return bool(key) and self.repeats is not None and self.repeats.is_repeat(key, delivery)

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
        self.counters.failed += 1
        error = InputRejectedError("the event is not JSON, so no device can be found in it")
        event = self._event(delivery, now, None)
        delivery.parts = 1
        work = Work(event, self._parts.store.next_seq(), delivery, delivery.qos > 0)
        self._on_failure(NO_FUNCTION, work, error)
        name = lane_name(self.plan, NO_FUNCTION)
        self._write_letter(name, NO_FUNCTION, work, error).add_done_callback(lambda _: work.settle())

    def _work(self, delivery: Delivery, taker: Taker, event: object, now: float) -> Work:
        care = self.plan.care
        device = taker.device or (self._takers.device_of(event) if event is not UNREAD else "")
        key = "" if care.order == "none" else delivery.topic
        if care.order == "device" and device:
            key = device
        return Work(
            self._event(delivery, now, taker.device),
            self._parts.store.next_seq(),
            delivery,
            delivery.qos > 0,
            key,
            device if care.latest else "",
            Reply(delivery.response_topic, delivery.correlation),
            born=delivery.born,
        )

    def _event(self, delivery: Delivery, now: float, device: str | None) -> Event:
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
        return Event(delivery.payload, delivery.content_type, "mqtt", self.plan.name, meta, received=now)

    # -- from an answer to its results

    def answered(self, lane: Lane, work: Work, answer: Answer) -> None:
        """Publish the results; with none there is nothing to wait for."""
        try:
            results = self._outlet.results(lane.plan.function, work, answer)
        except (InvocationError, ValueError) as error:
            self.failed(lane, work, error)
            return
        work.unconfirmed = len(results)
        lane.results += len(results)
        for publisher, outgoing in results:
            outgoing.done = partial(self._confirmed, lane, work)
            outgoing.origin, outgoing.total = work.origin, len(results)
            outgoing.work = work if len(results) == 1 else None
            publisher.send(outgoing)
        if not results:
            self._finish(lane, work)

    def failed(self, lane: Lane, work: Work, error: BaseException) -> None:
        """The one place where an event ends without its results: it becomes a dead letter."""
        self.counters.failed += 1
        function = lane.plan.function
        self._on_failure(function, work, error)
        lane.results += 1
        if not work.sure and self._unsure_letters >= MOST_UNSURE_LETTERS:
            # The disk does not keep up, and nothing is promised for QoS 0.
            self._tell(lane, work, error)
            return
        self._unsure_letters += not work.sure
        future = self._write_letter(lane.plan.name, function, work, error)
        future.add_done_callback(partial(self._lettered, lane, work, error))

    def dropped(self, lane: Lane, work: Work, reason: Reason) -> None:
        """An event gave way, as QoS 0 may, or as the rule asks for."""
        self.counters.expired += reason == "expired"
        self.counters.superseded += reason == "superseded"
        self.counters.dropped += reason == "full"
        lane.finish(work)

    def _on_failure(self, function: str, work: Work, error: BaseException) -> None:
        self._parts.on_failure(Failure(self.plan.name, function, work.event, error))

    def _write_letter(
        self, lane: str, function: str, work: Work, error: BaseException
    ) -> "asyncio.Future[None]":
        letter = letter_of(work, (lane, self.plan.name, function), self._parts.store.next_seq(), error)
        changes: list[Change] = [AddLetters((letter,))]
        if work.place is not Place.MEMORY:
            changes.append(DropEvents((work.seq,)))
        future = self._parts.store.submit(*changes)
        if work.origin is not None:
            work.origin.noted(letter.seq)
        return future

    def _lettered(
        self, lane: Lane, work: Work, error: BaseException, _future: "asyncio.Future[None]"
    ) -> None:
        self._unsure_letters -= not work.sure
        self._parts.failpoints.reach("letter.committed")
        self._tell(lane, work, error)

    def _tell(self, lane: Lane, work: Work, error: BaseException) -> None:
        told = self._outlet.error(lane.plan.function, work, error)
        if told is None:
            self._told(lane, work, None)
            return
        publisher, outgoing = told
        outgoing.done = partial(self._told, lane, work)
        publisher.send(outgoing)

    def _told(self, lane: Lane, work: Work, _error: str | None) -> None:
        """The error topic has it, or will not take it: there is no third place to tell."""
        lane.results -= 1
        lane.finish(work)

    def _confirmed(self, lane: Lane, work: Work, error: str | None) -> None:
        lane.results -= 1
        work.unconfirmed -= 1
        work.error = work.error or error
        if work.unconfirmed == 0:
            self._finish(lane, work)

    def _finish(self, lane: Lane, work: Work) -> None:
        if work.error is None:
            self.counters.answered += 1
            lane.finish(work)
        elif work.error == DROPPED:
            self.dropped(lane, work, "full")
        else:
            self.failed(lane, work, ResultRefusedError(work.error))

    def _make_lane(self, plan: LanePlan) -> Lane:
        parts = self._parts
        return Lane(plan, LaneParts(parts.dispatch, self, parts.store, parts.failpoints))


def lane_name(plan: RulePlan, function: str) -> str:
    """What the rule's rows for `function` are called in the inbox."""
    return f"mqtt/{plan.sub_broker}/{plan.sub_client_id}/{function}"


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
