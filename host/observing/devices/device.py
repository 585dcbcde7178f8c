"""One device: when it was heard, how often, and what each function made of what it said."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from host.observing.devices.series import SET_BACK, Series
from runtime.events import Answer, FunctionRaisedError
from runtime.observations import Run
from runtime.spec import PoolSpec

SHORTEST_SILENCE = 10.0
"""Seconds without a word in which no device counts as offline."""
USUAL_SILENCES = 3.0
"""Of its usual intervals, a device may stay silent for so many."""
FIRST_SILENCE = 60.0
"""Seconds in which a device of which there is but one event counts as online."""
SMOOTHING = 0.1
"""The part that the newest of many intervals has in the usual one."""
MOST_SPANS = 50
LONGEST_MESSAGE = 500

Kept = tuple[bytes, int, str | None]
"""The beginning of a body, the bytes that it had, its content type."""


@dataclass(slots=True)
class Line:
    """What one function made of a device's events: of the last one, and how many they were.

    `seen` is when that one was received and `ended` when it was done with (seconds since the epoch),
    `interval` the usual one in seconds, None as long as there was none. `sealed` has its bodies as an earlier
    life of the host wrote them; `due` is when its numbers are looked at again.
    """

    function: str
    rule: str = ""
    count: int = 0
    seen: float = 0.0
    interval: float | None = None
    result: str = ""
    event_id: str = ""
    error: tuple[str, str] | None = None
    spec: PoolSpec | None = None
    input: Kept | None = None
    output: Kept | None = None
    sealed: dict[str, Any] = field(default_factory=dict)
    due: float = 0.0

    @property
    def silence(self) -> float:
        """Seconds without a word after which its device is missed."""
        if self.interval is None:
            return FIRST_SILENCE
        return max(SHORTEST_SILENCE, USUAL_SILENCES * self.interval)

    def note(self, run: Run, most: int) -> None:
        """One more of them has ended; `most` bytes are kept of each body."""
        event, outcome = run.event, run.outcome
        if type(event.meta) is not dict or "attempt" not in event.meta:
            self._count(event.received)
        self.rule, self.result, self.event_id, self.spec = event.source, run.result, event.id, run.spec
        self.input = (event.body[:most], len(event.body), event.content_type)
        if type(outcome) is Answer:
            body = outcome.body
            self.error = None
            self.output = None if body is None else (body[:most], len(body), outcome.content_type)
        elif outcome is not None:
            raised = outcome if isinstance(outcome, FunctionRaisedError) else None
            told = raised.message if raised else str(outcome)
            kind = raised.error_type if raised else type(outcome).__name__
            self.error, self.output = (kind, told[:LONGEST_MESSAGE]), None

    def _count(self, received: float) -> None:
        passed = received - self.seen
        self.count += 1
        if self.seen and passed > -SET_BACK:
            # An event that overtook another makes an interval of none: their sum stays what it was. One
            # long silence is no interval, but several are.
            passed = min(max(0.0, passed), 2 * self.silence)
            usual = passed if self.interval is None else self.interval
            self.interval = usual + max(SMOOTHING, 1 / self.count) * (passed - usual)
        if passed < -SET_BACK:
            self.due = 0.0
        if passed > 0 or passed < -SET_BACK:
            self.seen = received


@dataclass(slots=True)
class Device:
    """`first` and `seen` are in seconds since the epoch, as is `since`, from when on it was never missed.

    `past` has earlier times of being there, as (begin, end). `lines` are by function, `newest` is the one of
    its last event. `is_stored` says that it is on disk, if not as it is by now.
    """

    name: str
    first: float
    seen: float
    since: float
    past: "deque[tuple[float, float]]" = field(default_factory=lambda: deque(maxlen=MOST_SPANS))
    lines: dict[str, Line] = field(default_factory=dict)
    newest: Line | None = None
    is_stored: bool = False
    series: Series = field(default_factory=Series)

    def hear(self, line: Line, received: float) -> None:
        """It was heard at this time, of an event that `line` told of."""
        passed = received - self.seen
        if passed > 0 or passed < -SET_BACK:
            if passed > line.silence:
                self.past.append((self.since, self.seen))
                self.since = received
            self.seen = received
        self.newest = line

    @property
    def interval(self) -> float | None:
        """Its usual one in seconds: that of the function that hears it most often."""
        told = [line.interval for line in self.lines.values() if line.interval is not None]
        return min(told, default=None)

    @property
    def count(self) -> int:
        """Its events, by the function that had most of them."""
        return max((line.count for line in self.lines.values()), default=0)

    def rate(self, now: float) -> float:
        """Events a second, as they usually come; of one that is silent it sinks."""
        interval = self.interval
        if interval is None:
            return 0.0
        return 1 / max(interval, now - self.seen, 1e-6)

    def is_online(self, now: float) -> bool:
        """Whether it was heard within the time in which it usually is."""
        interval = self.interval
        silence = FIRST_SILENCE if interval is None else max(SHORTEST_SILENCE, USUAL_SILENCES * interval)
        return now - self.seen <= silence
