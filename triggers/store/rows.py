"""What stands on disk: one dataclass for each table of the delivery database."""

from dataclasses import dataclass, field
from hashlib import blake2b

NEVER = 253402300799.0
"""The end of the year 9999: such an invocation is needed still, and does not expire."""

Head = dict[str, object]
"""What is known of an event besides its body; only what JSON can say."""


@dataclass(frozen=True, slots=True)
class Source:
    """The delivery that an event came with: with its DUP flag and the same three, it is the same event.

    `session` reads `broker/client id`; `digest` is of topic and payload (`digest_of`).
    """

    session: str
    mid: int
    digest: bytes


def digest_of(topic: str, payload: bytes) -> bytes:
    """16 bytes that tell a delivery from others of the same session and packet id."""
    return blake2b(topic.encode("utf-8", "surrogatepass") + b"\0" + payload, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event that waits on disk for one function.

    `seq` orders all rows of a host, over its restarts. `lane` names who works it:
    `mqtt/BROKER/CLIENT/FUNCTION`, `async/FUNCTION`, `timer/NAME/FUNCTION`. `key` is what its order is kept
    by, or "". `due` is in seconds since the epoch: not before then. `source` is None once the broker's
    acknowledgement is under way.
    """

    seq: int
    lane: str
    event_id: str
    head: Head
    body: bytes
    key: str = ""
    attempts: int = 0
    due: float = 0.0
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class ResultRow:
    """A result that waits for its broker. `target` reads `broker/client id`.

    `total` counts the results of its event by this function. `created` is in seconds since the epoch,
    `timeout` in seconds. `properties` are packed (MQTT 5). `rule` is that of its event, or the timer;
    `attempts` grows with each replay.
    """

    seq: int
    target: str
    event_id: str
    function: str
    topic: str
    payload: bytes
    qos: int
    retain: bool
    properties: bytes
    created: float
    timeout: float
    total: int = 1
    source: Source | None = None
    rule: str = ""
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: an event that failed for good, or a result that its broker would not take.

    For a result, `lane` is its target and `head` has topic, qos, retain, properties (base64) and timeout.
    `error_type` and `message` say why; `first` and `died` are in seconds since the epoch.
    """

    seq: int
    kind: str
    lane: str
    rule: str
    function: str
    event_id: str
    head: Head
    body: bytes
    attempts: int
    error_type: str
    message: str
    first: float
    died: float
    key: str = ""
    stack: tuple[str, ...] = ()
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Invocation:
    """An asynchronous invocation, from its acceptance until `expires`; times are in seconds since the epoch.

    `state` is waiting, running, done, failed or cancelled. `result` has status, contentType, headers and
    revision; `error` is the problem of RFC 9457. `callback` is a URL, and `callback_state` empty, waiting,
    done or failed.
    """

    id: str
    function: str
    state: str
    created: float
    expires: float
    attempts: int = 0
    finished: float = 0.0
    result: Head = field(default_factory=dict)
    body: bytes | None = None
    error: Head = field(default_factory=dict)
    callback: str = ""
    callback_state: str = ""
