"""How the events of one rule or timer end: their results are published, or they become dead letters."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from runtime.events import Answer, InvocationError
from triggers.delivery.lane import Lane, Reason
from triggers.delivery.work import Place, Work
from triggers.mqtt.letters import letter_of
from triggers.mqtt.messages import Counters, Failure, OnFailure, Outgoing
from triggers.mqtt.publisher import DROPPED, Publisher
from triggers.store.changes import AddLetters, Change, DropEvents
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore, StoreClosedError

logger = logging.getLogger(__name__)

MOST_UNSURE_LETTERS = 1000


class ResultRefusedError(InvocationError):
    """The target broker would not take a result."""


class Sink(Protocol):
    """What is published of an event, and through which connection; `topic` is where results usually go."""

    @property
    def topic(self) -> str:
        """Empty where they go nowhere."""

    def results(self, function: str, work: Work, answer: Answer) -> list[tuple[Publisher, Outgoing]]:
        """Of one that was answered; raises InvocationError or ValueError when that cannot be published."""

    def error(self, function: str, work: Work, error: BaseException) -> tuple[Publisher, Outgoing] | None:
        """Of one that got no answer; None when nobody wants to know."""


@dataclass(frozen=True)
class EndingParts:
    """What endings need besides a sink; `on_failure` hears of each failed event."""

    on_failure: OnFailure
    store: DeliveryStore
    failpoints: Failpoints


class Endings:
    """Owns the events that lanes have dealt with; `name` is the rule's or timer's, and may change."""

    def __init__(self, name: str, sink: Sink, parts: EndingParts) -> None:
        self.name = name
        self.sink = sink
        self.counters = Counters()
        self._parts = parts
        self._unsure_letters = 0

    def answered(self, lane: Lane, work: Work, answer: Answer) -> None:
        """Publish the results; with none there is nothing to wait for."""
        try:
            results = self.sink.results(lane.plan.function, work, answer)
        except (InvocationError, ValueError) as error:
            self.failed(lane, work, error)
            return
        work.unconfirmed = len(results)
        lane.results += len(results)
        lane.passed.published += len(results)
        for publisher, outgoing in results:
            outgoing.done = partial(self._confirmed, lane, work)
            outgoing.origin, outgoing.total = work.origin, len(results)
            outgoing.work = work if len(results) == 1 else None
            lane.passed.elsewhere += outgoing.topic != self.sink.topic
            publisher.send(outgoing)
        if not results:
            self._finish(lane, work)

    def failed(self, lane: Lane, work: Work, error: BaseException) -> None:
        """The one place where an event ends without its results: it becomes a dead letter."""
        lane.results += 1
        lane.passed.failed += 1
        whose = lane.plan.name, lane.plan.function
        self._bury(whose, work, error, partial(self._lettered, lane, work, error))

    def refuse(self, lane: str, function: str, work: Work, error: BaseException) -> None:
        """Make a dead letter of an event that no function is to see."""
        self._bury((lane, function), work, error, work.settle)

    def dropped(self, lane: Lane, work: Work, reason: Reason) -> None:
        """An event gave way, as QoS 0 may, or as the rule asks for."""
        self.counters.expired += reason == "expired"
        self.counters.superseded += reason == "superseded"
        self.counters.dropped += reason == "full"
        lane.finish(work)

    def _bury(
        self, whose: tuple[str, str], work: Work, error: BaseException, then: Callable[[], None]
    ) -> None:
        """Make a dead letter of the event, say so, and `then` go on."""
        self.counters.failed += 1
        self._parts.on_failure(Failure(self.name, whose[1], work.event, error))
        if not work.sure and self._unsure_letters >= MOST_UNSURE_LETTERS:
            # The disk does not keep up, and nothing is promised for QoS 0.
            then()
            return
        self._unsure_letters += not work.sure
        self._write_letter(whose, work, error).add_done_callback(partial(self._buried, work, then))

    def _write_letter(
        self, whose: tuple[str, str], work: Work, error: BaseException
    ) -> "asyncio.Future[None]":
        lane, function = whose
        letter = letter_of(work, (lane, self.name, function), self._parts.store.next_seq(), error)
        changes: list[Change] = [AddLetters((letter,))]
        if work.place is not Place.MEMORY:
            changes.append(DropEvents((work.seq,)))
        future = self._parts.store.submit(*changes)
        if work.origin is not None:
            work.origin.noted(letter.seq)
        return future

    def _buried(self, work: Work, then: Callable[[], None], written: "asyncio.Future[None]") -> None:
        self._unsure_letters -= not work.sure
        wrong = written.exception()
        if isinstance(wrong, StoreClosedError):
            # Unacknowledged, or still in the inbox: it comes again.
            return
        if wrong is not None:
            logger.error(
                "the event %s failed, and is lost: no dead letter can hold it: %s",
                work.event.id,
                wrong,
                extra={"event": "event.lost", "id": work.event.id, "error": type(wrong).__name__},
            )
        then()

    def _lettered(self, lane: Lane, work: Work, error: BaseException) -> None:
        self._parts.failpoints.reach("letter.committed")
        self._tell(lane, work, error)

    def _tell(self, lane: Lane, work: Work, error: BaseException) -> None:
        told = self.sink.error(lane.plan.function, work, error)
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
        lane.passed.confirmed += error is None
        work.unconfirmed -= 1
        work.error = work.error or error
        if work.unconfirmed == 0:
            if work.error is None and (timeline := work.event.timeline) is not None:
                timeline.mark("published")
            self._finish(lane, work)

    def _finish(self, lane: Lane, work: Work) -> None:
        if work.error is None:
            self.counters.answered += 1
            lane.finish(work)
        elif work.error == DROPPED:
            self.dropped(lane, work, "full")
        else:
            self.failed(lane, work, ResultRefusedError(work.error))
