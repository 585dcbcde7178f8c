"""What travels inside the trigger: received deliveries, the work they cause, the results that go out."""

from collections.abc import Callable
from dataclasses import dataclass, field

from runtime.events import Event
from triggers.mqtt.window import Slot


@dataclass(slots=True, eq=False)
class Delivery:
    """One received message; it is acknowledged when all its parts are done.

    `user_properties`, `traceparent` (W3C) and `expires` (seconds that its publisher gave it) are of MQTT 5.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool = False
    content_type: str | None = None
    response_topic: str | None = None
    correlation: bytes | None = None
    user_properties: dict[str, str] = field(default_factory=dict)
    traceparent: str | None = None
    expires: float | None = None
    slot: Slot | None = None
    parts: int = 0
    done: bool = False

    def part_done(self) -> None:
        """One function's share of this message is dealt with."""
        self.parts -= 1
        if self.parts <= 0:
            self.finish()

    def finish(self) -> None:
        """The message is dealt with; it may be acknowledged."""
        self.done = True
        if self.slot is not None:
            self.slot.settle()

    def attach(self, slot: Slot) -> None:
        """The broker delivered this message again, over a new connection."""
        self.slot = slot
        if self.done:
            slot.settle()


@dataclass(slots=True, eq=False)
class Work:
    """One run of one function on one delivery. `sent_at` is the event loop's time of its dispatch.

    `unconfirmed` counts its results that the target broker has not confirmed yet; `error` is the first fault
    that one of them met.
    """

    delivery: Delivery
    event: Event
    seq: int
    sent_at: float = 0.0
    unconfirmed: int = 0
    error: str | None = None

    @property
    def sure(self) -> bool:
        """Whether the broker still holds the message, so that it must not be dropped here."""
        return self.delivery.qos > 0


Done = Callable[[str | None], None]


@dataclass(slots=True, eq=False)
class Outgoing:
    """One message to publish. `done` is called once: with None when confirmed, else with what went wrong.

    `timeout` is in seconds from sending to confirmation; `sure` as in Work.
    """

    topic: str
    payload: bytes
    qos: int
    retain: bool
    done: Done = lambda _error: None
    properties: bytes = b""
    timeout: float = 10.0
    sure: bool = True
    seq: int = 0
    sent_at: float = 0.0


@dataclass(slots=True)
class Counters:
    """What one rule has seen: messages received and ignored, runs answered, failed and dropped.

    Ignored are retained messages and those of an earlier subscription of the same session. No device of any
    function is in an unmatched one. Sealed are those that say they are encrypted or compressed, and pass as
    they are.
    """

    received: int = 0
    answered: int = 0
    failed: int = 0
    dropped: int = 0
    ignored: int = 0
    unmatched: int = 0
    sealed: int = 0
    sessions_lost: int = 0


@dataclass(frozen=True)
class Failure:
    """An event that got no answer, or whose result the broker would not take."""

    rule: str
    function: str
    event: Event
    error: BaseException


OnFailure = Callable[[Failure], None]
