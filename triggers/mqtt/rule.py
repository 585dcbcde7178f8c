"""One rule at work: a message becomes one event per function, and is done when every result is confirmed."""

import json
import re
import time
from functools import partial

from conf.matching import Matcher
from runtime.events import Answer, Dispatch, Event, InputRejectedError, InvocationError
from triggers.mqtt.lane import Lane
from triggers.mqtt.messages import Counters, Delivery, Failure, OnFailure, Work
from triggers.mqtt.plan import RulePlan
from triggers.mqtt.publisher import DROPPED
from triggers.mqtt.results import Outlet

# Said by the devices themselves; a search is a hundred times faster than reading the event.
SEALED = re.compile(rb'"(?:encryption|compression)"\s*:\s*true')


def is_sealed(payload: bytes) -> bool:
    """Whether the event's `deviceInfo` says that it is encrypted or compressed."""
    return b'"deviceInfo"' in payload and SEALED.search(payload) is not None


class ResultRefusedError(InvocationError):
    """The target broker would not take a result."""


class Rule:
    """Feeds the functions of a rule and publishes what they return."""

    def __init__(self, plan: RulePlan, dispatch: Dispatch, outlet: Outlet, on_failure: OnFailure) -> None:
        self.plan = plan
        self.counters = Counters()
        self.lanes: list[Lane] = []
        self._matcher: Matcher | None = None
        self._takes_all = True
        self._leaving: list[Lane] = []
        self._dispatch = dispatch
        self._on_failure = on_failure
        self.update(plan, outlet)

    def update(self, plan: RulePlan, outlet: Outlet) -> None:
        """From now on feed the functions of `plan`; what the others have already been given they finish."""
        known = {lane.function: lane for lane in self.lanes}
        self.plan = plan
        self._outlet = outlet
        self.lanes = []
        for name, position in plan.functions:
            lane = known.pop(name) if name in known else Lane(name, position, self._dispatch, self)
            lane.position = position
            self.lanes.append(lane)
        self._leaving = [lane for lane in (*self._leaving, *known.values()) if lane.busy]
        devices = plan.devices or ((),) * len(self.lanes)
        self._takes_all = not all(devices)
        named = [(lane.function, told) for lane, told in zip(self.lanes, devices, strict=True)]
        self._matcher = Matcher(named) if any(devices) else None

    @property
    def idle(self) -> bool:
        """Whether nothing that was received waits for an answer or for a confirmation."""
        return not any(lane.busy for lane in (*self.lanes, *self._leaving))

    def take(self, delivery: Delivery) -> None:
        """Run each function that takes it; `delivery` is finished when all results are confirmed."""
        self.counters.received += 1
        self.counters.sealed += is_sealed(delivery.payload)
        now = time.time()
        takers = self._takers(delivery, now)
        delivery.parts = len(takers)
        for lane, device in takers:
            lane.submit(delivery, self._event(delivery, now, device))
        if not takers:
            delivery.finish()

    def _takers(self, delivery: Delivery, now: float) -> list[tuple[Lane, str | None]]:
        if self._matcher is None:
            return [(lane, None) for lane in self.lanes]
        try:
            event = json.loads(delivery.payload)
        except (ValueError, RecursionError) as error:
            event = None
            self._say_unreadable(delivery, now, error)
        takers = [(self.lanes[index], device) for index, device in self._matcher.match(event)]
        self.counters.unmatched += not takers and event is not None
        return takers

    def _say_unreadable(self, delivery: Delivery, now: float, error: Exception) -> None:
        """No device can be found in what is not JSON; only functions that take every event get it."""
        if self._takes_all:
            return
        self.counters.failed += 1
        rejected = InputRejectedError(f"the event is not JSON, so no device can be found in it: {error}")
        self._on_failure(Failure(self.plan.name, "-", self._event(delivery, now, None), rejected))

    def close(self) -> None:
        """Dispatch nothing any more."""
        for lane in (*self.lanes, *self._leaving):
            lane.close()

    def answered(self, lane: Lane, work: Work, answer: Answer) -> None:
        """Publish the results; with none there is nothing to wait for."""
        try:
            results = self._outlet.results(lane.function, work, answer)
        except (InvocationError, ValueError) as error:
            self.failed(lane, work, error)
            return
        work.unconfirmed = len(results)
        lane.results += len(results)
        for publisher, outgoing in results:
            outgoing.done = partial(self._confirmed, lane, work)
            publisher.send(outgoing)
        if not results:
            self._finish(lane, work)

    def failed(self, lane: Lane, work: Work, error: BaseException) -> None:
        """The one place where an event ends without its results: `on_failure` decides what becomes of it."""
        self.counters.failed += 1
        self._on_failure(Failure(self.plan.name, lane.function, work.event, error))
        told = self._outlet.error(lane.function, work, error)
        if told is None:
            work.delivery.part_done()
            return
        publisher, outgoing = told
        lane.results += 1
        outgoing.done = partial(self._told, lane, work)
        publisher.send(outgoing)

    def _told(self, lane: Lane, work: Work, _error: str | None) -> None:
        """The error topic has it, or will not take it: there is no third place to tell."""
        lane.results -= 1
        work.delivery.part_done()

    def dropped(self, lane: Lane, work: Work) -> None:
        """A QoS 0 event gave way to newer ones."""
        self.counters.dropped += 1
        work.delivery.part_done()

    def _event(self, delivery: Delivery, now: float, device: str | None) -> Event:
        meta: dict[str, object] = {
            "topic": delivery.topic,
            "qos": delivery.qos,
            "retain": delivery.retain,
        }
        if device is not None:
            meta["device"] = device
        return Event(delivery.payload, delivery.content_type, "mqtt", self.plan.name, meta, received=now)

    def _confirmed(self, lane: Lane, work: Work, error: str | None) -> None:
        lane.results -= 1
        work.unconfirmed -= 1
        work.error = work.error or error
        if work.unconfirmed == 0:
            self._finish(lane, work)

    def _finish(self, lane: Lane, work: Work) -> None:
        if work.error is None:
            self.counters.answered += 1
            work.delivery.part_done()
        elif work.error == DROPPED:
            self.dropped(lane, work)
        else:
            self.failed(lane, work, ResultRefusedError(work.error))
