"""What went in and what came out: one entry for each event, with all that was seen of it."""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Cut:
    """The end, at `at`, of a connection over which an event had been delivered and not surely acknowledged.

    `forgotten`: the host was gone, or had said that it acknowledges, so it cannot know the event when it
    comes again. Else it still works it, and knows it.
    """

    at: float
    forgotten: bool


@dataclass(frozen=True, slots=True)
class Send:
    """The host sent a result, at `at`, over a connection that it had begun at `began`."""

    at: float
    began: float


@dataclass(slots=True)
class Event:
    """A published event. Times are the loop's, in seconds.

    `what` is what the function is to do with it, for how many `seconds`, and its result is larger by `pad`
    bytes. It counts once its broker has acknowledged it (`counted`);
    `copies` says how often it was published, since an acknowledgement may have been lost.

    `acked` is when the host acknowledged it first; `cuts` are the ends of deliveries before that was sure.
    `sends` are those of its results; `resends` counts the connections that ended before a result was surely
    confirmed.
    """

    number: int
    rule: str
    device: str
    what: str = "echo"
    seconds: float = 0.0
    pad: int = 0
    sent: float = 0.0
    counted: float | None = None
    copies: int = 0
    acked: float | None = None
    cuts: list[Cut] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    resends: int = 0

    @property
    def topic(self) -> str:
        """Where it is published."""
        return f"in/{self.rule}/{self.device}"

    def payload(self) -> bytes:
        """Its body, as the function gets it."""
        told = {
            "deviceInfo": {"deviceName": self.device},
            "number": self.number,
            "what": self.what,
            "seconds": self.seconds,
            "pad": self.pad,
        }
        return json.dumps(told).encode()


@dataclass(frozen=True, slots=True)
class Result:
    """What came out for an event, and when; `order` numbers all results as they arrived."""

    at: float
    order: int
    payload: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, as the host shows it."""

    event: int
    error_type: str
    attempts: int


@dataclass
class Ledger:
    """All events of a run, by number. `failures` counts what was told on the error topic.

    `deaths` are the times when the host died.
    """

    events: dict[int, Event] = field(default_factory=dict)
    results: dict[int, list[Result]] = field(default_factory=dict)
    failures: dict[int, int] = field(default_factory=dict)
    deaths: list[float] = field(default_factory=list)
    strays: list[bytes] = field(default_factory=list)
    counted: int = 0
    unanswered: set[int] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """An event is about to be published."""
        self.events[event.number] = event
        self.unanswered.add(event.number)

    def count(self, event: Event, now: float) -> None:
        """The broker has it."""
        self.counted += event.counted is None
        event.counted = event.counted or now

    def take_result(self, number: int, result: Result) -> None:
        """A result came."""
        self.results.setdefault(number, []).append(result)
        self.unanswered.discard(number)

    def take_failure(self, number: int) -> None:
        """The error topic told of an event."""
        self.failures[number] = self.failures.get(number, 0) + 1
