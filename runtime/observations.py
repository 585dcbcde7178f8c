"""What can be seen of functions at work: runs that end, instances that come and go, what is decided."""

from dataclasses import dataclass
from typing import Literal

from runtime.events import (
    Answer,
    DeadlinePassedError,
    Event,
    FunctionRaisedError,
    InputRejectedError,
    InstanceDiedError,
    InvocationError,
    QueueFullError,
    TooLargeError,
    UnavailableError,
)
from runtime.scaling.decisions import Decision
from runtime.spec import PoolSpec

Result = Literal["ok", "raised", "timeout", "died", "rejected", "overload", "unavailable", "cancelled"]
Start = Literal["cold", "warm"]
End = Literal["retired", "killed", "died"]

RESULTS: tuple[Result, ...] = (
    "ok",
    "raised",
    "timeout",
    "died",
    "rejected",
    "overload",
    "unavailable",
    "cancelled",
)
_RESULT_OF: dict[type[InvocationError], Result] = {
    FunctionRaisedError: "raised",
    DeadlinePassedError: "timeout",
    InstanceDiedError: "died",
    InputRejectedError: "rejected",
    TooLargeError: "rejected",
    QueueFullError: "overload",
    UnavailableError: "unavailable",
}


def result_of(outcome: Answer | InvocationError | None) -> Result:
    """The one word for how a run ended; None is an outcome that nobody waited for."""
    if outcome is None:
        return "cancelled"
    return "ok" if isinstance(outcome, Answer) else _RESULT_OF.get(type(outcome), "raised")


@dataclass(slots=True)
class Run:
    """One event on its way through a pool, at its end: a pool sees each event that it took in end once.

    `arrived`, `sent` (to an instance; 0.0: none had it) and `ended` are seconds of the monotonic clock;
    `seconds` is how long the function ran, as its instance measured it, None where it did not say. `pid` is
    the instance's, 0 for none. Of a streamed answer the outcome has no body.
    """

    spec: PoolSpec
    event: Event
    outcome: Answer | InvocationError | None
    result: Result
    arrived: float
    sent: float
    ended: float
    seconds: float | None = None
    pid: int = 0

    @property
    def ran(self) -> float:
        """Seconds that the function ran, as near as they are known."""
        if self.seconds is not None:
            return self.seconds
        return self.ended - self.sent if self.sent else 0.0

    @property
    def queued(self) -> float:
        """Seconds from the arrival in the pool to the begin of the run, or to the end if it never began."""
        return max(0.0, self.ended - self.arrived - self.ran)


class Observer:
    """Is told what happens, at once and on the event loop; what it does is paid for by each event."""

    def ended(self, run: Run) -> None:
        """A pool has done with an event that it took in."""

    def refused(self, target: str, event: Event, error: InvocationError) -> None:
        """An event was not taken in at all: no such function, a full queue, a quota, a rate."""

    def started(self, spec: PoolSpec, start: Start, seconds: float) -> None:
        """An instance is ready: forked from a loaded package (warm), or after that was loaded, too (cold)."""

    def stopped(self, spec: PoolSpec, end: End) -> None:
        """An instance has ended: it was asked to, it was killed by the host, or it died."""

    def decided(self, spec: PoolSpec, decision: Decision) -> None:
        """The autoscaler changed its mind, or was held back."""


class Observers(Observer):
    """Tells all of them, in their order."""

    def __init__(self) -> None:
        self._all: list[Observer] = []

    def add(self, observer: Observer) -> None:
        """From now on this one is told, too."""
        self._all.append(observer)

    def remove(self, observer: Observer) -> None:
        """From now on this one is told nothing any more."""
        # Another list: what is being told just now is told to the end.
        self._all = [each for each in self._all if each is not observer]

    def ended(self, run: Run) -> None:
        """Pass it on."""
        for each in self._all:
            each.ended(run)

    def refused(self, target: str, event: Event, error: InvocationError) -> None:
        """Pass it on."""
        for each in self._all:
            each.refused(target, event, error)

    def started(self, spec: PoolSpec, start: Start, seconds: float) -> None:
        """Pass it on."""
        for each in self._all:
            each.started(spec, start, seconds)

    def stopped(self, spec: PoolSpec, end: End) -> None:
        """Pass it on."""
        for each in self._all:
            each.stopped(spec, end)

    def decided(self, spec: PoolSpec, decision: Decision) -> None:
        """Pass it on."""
        for each in self._all:
            each.decided(spec, decision)
