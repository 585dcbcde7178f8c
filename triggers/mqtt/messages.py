"""What travels inside the trigger: received deliveries, and the results that go out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from runtime.events import Event, Timeline
from triggers.delivery.work import Origin, Place, Work
from triggers.mqtt.window import Slot
from triggers.store.rows import Source, digest_of
from triggers.trace_context import Trace


@dataclass(slots=True, eq=False)
class Delivery:
    """One received message; it is acknowledged when all its parts are done.

    `session` names the subscription and `mid` the packet, of QoS >= 1; `born` is the event loop's time of its
    receipt. `rows` are those on disk that name it as their source. `user_properties`, `trace` (as in its
    event's metadata) and `expires` (seconds that its publisher gave it) are of MQTT 5. `twins` are later
    messages that are the same event, by the key that the rule names. `ended` is called when it is dealt with.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    user_properties: dict[str, str] = field(default_factory=dict)
    trace: Trace | None = None
    expires: float | None = None
    slot: Slot | None = None
    session: str = ""
    mid: int = 0
    born: float = 0.0
    parts: int = 0
    done: bool = False
    rows: list[int] = field(default_factory=list)
    twins: list["Delivery"] = field(default_factory=list)
    ended: Callable[[], None] | None = None

    @property
    def source(self) -> Source | None:
        """What tells it when it comes again."""
        return Source(self.session, self.mid, digest_of(self.topic, self.payload)) if self.mid else None

    def noted(self, row: int) -> None:
        """The row on disk names this delivery as its source."""
        if self.mid:
            self.rows.append(row)

    def watch(self, timeline: Timeline) -> None:
        """The acknowledgement is to be marked there, once it leaves."""
        if self.slot is not None:
            self.slot.timelines = (*self.slot.timelines, timeline)

    def part_done(self) -> None:
        """One function's share is dealt with, or stands on disk."""
        self.parts -= 1
        if self.parts <= 0:
            self.finish()

    def finish(self) -> None:
        """The message is dealt with; it may be acknowledged."""
        self.done = True
        if self.slot is not None:
            self.slot.settle()
        if self.ended is not None:
            self.ended()
        for twin in self.twins:
            twin.finish()
        self.twins.clear()

    def attach(self, slot: Slot) -> None:
        """The broker delivered this message again, over a new connection."""
        slot.rows = self.rows
        if self.slot is not None:
            slot.timelines = self.slot.timelines
        self.slot = slot
        if self.done:
            slot.settle()


def event_of(delivery: Delivery, rule: str, now: float, device: str | None = None, bound: str = "") -> Event:
    """The event of `rule` that a message becomes; `now` is in seconds since the epoch.

    `device` is whose it is, `bound` the same where the broker vouches for it: bound devices take turns, as
    callers over HTTP do.
    """
    meta: dict[str, object] = {
        "topic": delivery.topic,
        "qos": delivery.qos,
        "retain": delivery.retain,
    }
    if device is not None:
        meta["device"] = device
    if delivery.user_properties:
        meta["headers"] = delivery.user_properties
    if delivery.trace:
        meta |= delivery.trace
    caller = f"mqtt/{rule}/{bound}" if bound else ""
    return Event(delivery.payload, delivery.content_type, "mqtt", rule, meta, received=now, caller=caller)


Done = Callable[[str | None], None]


def unheard(_error: str | None) -> None:
    """Nobody waits to hear of the end."""


class Told(NamedTuple):
    """Whose result it is."""

    rule: str
    function: str
    event_id: str


NOBODY = Told("", "", "")


@dataclass(slots=True, eq=False)
class Outgoing:
    """One message to publish. `done` hears the end, once: None for confirmed or on disk, else what went
    wrong.

    `timeout` is in seconds from sending to confirmation; `born` and `sent_at` are times of the event loop;
    `sure` as in Work. `total` counts the results of the event by its function. `work` is the event's, if
    this is its only result: its row in the inbox may go when this one is in the outbox. `verdict` is an end
    that came while it was being written there. `attempts` grows with each replay.
    `created` is when its row was written, in seconds since the epoch, of one that was read from disk.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    told: Told = NOBODY
    done: Done = unheard
    properties: bytes = b""
    timeout: float = 10.0
    sure: bool = True
    seq: int = 0
    born: float = 0.0
    sent_at: float = 0.0
    place: Place = Place.MEMORY
    total: int = 1
    origin: Origin | None = None
    work: Work | None = None
    verdict: str | None = None
    attempts: int = 1
    created: float = 0.0

    def tell(self, error: str | None) -> None:
        """Say how it ended, if that was not said before."""
        done, self.done = self.done, unheard
        done(error)


@dataclass(slots=True)
class Counters:
    """What one rule has seen: messages received and ignored, runs answered, failed and dropped.

    Ignored are retained messages and those of an earlier subscription of the same session. No device of any
    function is in an unmatched one. Sealed are those that say they are encrypted or compressed, and pass as
    they are. Repeated came again and were known, by their packet or by the rule's key. Expired were older
    than the rule's `max_age`, superseded gave way to a newer one of their device. Refused are those that
    their device may not send, by the reason: it has no name or too long a one, the event claims another, a
    value is out of its bounds, it sends too often, the event is larger or deeper than is read; of all these,
    the last count has no dead letters.
    """

    received: int = 0
    answered: int = 0
    failed: int = 0
    dropped: int = 0
    ignored: int = 0
    unmatched: int = 0
    sealed: int = 0
    repeated: int = 0
    expired: int = 0
    superseded: int = 0
    sessions_lost: int = 0
    refused_name: int = 0
    refused_claim: int = 0
    refused_value: int = 0
    refused_rate: int = 0
    refused_size: int = 0
    refused_unkept: int = 0

    def refuse(self, reason: Literal["name", "claim", "value", "rate", "size"]) -> None:
        """One more was refused."""
        name = f"refused_{reason}"
        setattr(self, name, getattr(self, name) + 1)


@dataclass(frozen=True)
class Failure:
    """An event that got no answer, or whose result the broker would not take."""

    rule: str
    function: str
    event: Event
    error: BaseException


OnFailure = Callable[[Failure], None]
