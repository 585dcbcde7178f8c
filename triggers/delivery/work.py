"""One run of one function on one event, as it waits, runs, fails and comes again."""

import base64
import json
import time
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple, Protocol

from runtime.events import Event, Timeline
from triggers.store.rows import EventRow, Head, Source


class Place(Enum):
    """Where a thing stands that must not be lost."""

    MEMORY = 1
    STORING = 2
    STORED = 3


class Reply(NamedTuple):
    """Where a request of MQTT 5 wants its answer, and what it knows it by."""

    topic: str | None
    correlation: bytes | None


NO_REPLY = Reply(None, None)
REPLAYED = "replayed"
"""In the head of an event that a person wants to be tried again: neither its age nor a newer one ends it."""


class Origin(Protocol):
    """Where an event came from, and who must not forget it yet."""

    @property
    def source(self) -> Source | None:
        """What tells the event when it comes again; None when it cannot."""

    def noted(self, row: int) -> None:
        """The row on disk names the source."""

    def watch(self, timeline: Timeline) -> None:
        """This is to be told when its sender hears that he may forget it."""

    def part_done(self) -> None:
        """One lane's share is dealt with, or stands on disk."""


@dataclass(slots=True, eq=False)
class Work:
    """An event on its way through one lane.

    `origin` hears once, through `settle`, that the event is dealt with or stands on disk, and may be
    forgotten. `key` is what its order is kept by, `device` what conflation goes by. `attempts` counts those
    that failed. `born`, `sent_at` and `due` are times of the event loop; `sure` says that it may not be
    dropped, `gone` that another took its place, `replayed` that a person wants it to be tried again.
    `unconfirmed` counts its results that no broker has confirmed yet, and `error` is the first fault that one
    of them met.
    """

    event: Event
    seq: int
    origin: Origin | None = None
    sure: bool = True
    key: str = ""
    device: str = ""
    reply: Reply = NO_REPLY
    attempts: int = 0
    place: Place = Place.MEMORY
    born: float = 0.0
    sent_at: float = 0.0
    due: float = 0.0
    gone: bool = False
    replayed: bool = False
    unconfirmed: int = 0
    error: str | None = None

    def is_older(self, max_age: float | None, now: float) -> bool:
        """Whether it is too old to be run; who has it replayed wants that all the same."""
        return max_age is not None and not self.replayed and now - self.born > max_age

    def settle(self) -> None:
        """Let the sender forget the event, which stands on disk, or is dealt with."""
        origin, self.origin = self.origin, None
        if origin is not None:
            if (timeline := self.event.timeline) is not None:
                origin.watch(timeline)
            origin.part_done()

    def again(self) -> None:
        """Make ready for the next attempt, whose number the function can see (`context.event`)."""
        meta = self.event.meta
        told: dict[str, object] = json.loads(meta) if isinstance(meta, bytes) else meta
        self.event = replace(self.event, meta={**told, "attempt": self.attempts + 1}, timeline=None)


def head_of(work: Work) -> Head:
    """All of an event but its body and its id, for a row or a dead letter."""
    event = work.event
    meta: dict[str, object] = json.loads(event.meta) if isinstance(event.meta, bytes) else event.meta
    head: Head = {
        "trigger": event.trigger,
        "source": event.source,
        "meta": meta,
        "contentType": event.content_type,
        "received": event.received,
    }
    if work.replayed:
        head[REPLAYED] = True
    if work.device:
        head["device"] = work.device
    if event.device:
        head["whose"] = event.device
    if work.reply.topic is not None:
        head["replyTopic"] = work.reply.topic
    if work.reply.correlation is not None:
        head["correlation"] = base64.b64encode(work.reply.correlation).decode()
    return head


def row_of(work: Work, lane: str, due: float = 0.0) -> EventRow:
    """The work as it stands on disk; `due` is in seconds since the epoch."""
    return EventRow(
        seq=work.seq,
        lane=lane,
        event_id=work.event.id,
        head=head_of(work),
        body=work.event.body,
        key=work.key,
        attempts=work.attempts,
        due=due,
        source=work.origin.source if work.origin is not None else None,
    )


def work_of(row: EventRow, now: float) -> Work:
    """The work that a row tells of; `now` is the event loop's time."""
    head, wall = row.head, time.time()
    received = _number(head.get("received"), wall)
    meta = dict(told) if isinstance(told := head.get("meta"), dict) else {}
    if row.attempts:
        meta["attempt"] = row.attempts + 1
    event = Event(
        row.body,
        _text(head.get("contentType")),
        _text(head.get("trigger")) or "mqtt",
        _text(head.get("source")) or "",
        meta,
        row.event_id,
        received,
        device=_text(head.get("whose")) or "",
    )
    correlation, replayed = head.get("correlation"), bool(head.get(REPLAYED))
    return Work(
        event,
        row.seq,
        key=row.key,
        device="" if replayed else _text(head.get("device")) or "",
        reply=Reply(
            _text(head.get("replyTopic")),
            base64.b64decode(correlation) if isinstance(correlation, str) else None,
        ),
        attempts=row.attempts,
        place=Place.STORED,
        # A clock that was set back in between makes no event younger than now.
        born=now - max(0.0, wall - received),
        due=now + max(0.0, row.due - wall) if row.due else 0.0,
        replayed=replayed,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default
