"""Runs of functions as pools tell them, for tests of those who are told."""

from pathlib import Path

from runtime.events import Answer, DeadlinePassedError, Event, InvocationError
from runtime.observations import Run, result_of
from runtime.spec import PoolSpec


def spec_of(function: str = "industry", revision: int = 1) -> PoolSpec:
    """A revision that nothing runs."""
    here = Path("/nowhere")
    return PoolSpec(function, revision, "0" * 64, here, here, here)


def ok(seconds: float = 0.002) -> Answer:
    """An answer whose run took so long."""
    return Answer(b"1", seconds=seconds)


def late() -> InvocationError:
    """What becomes of an event at its deadline."""
    return DeadlinePassedError("too late")


def run_of(
    spec: PoolSpec, outcome: Answer | InvocationError | None, trigger: str = "http", waited: float = 0.0
) -> Run:
    """The end of an event that arrived at 100 s, and waited so long for its instance."""
    sent = 100.0 + waited
    seconds = outcome.seconds if isinstance(outcome, Answer) else None
    ended = sent + (seconds or 0.0)
    event = Event(b"", trigger=trigger)
    return Run(spec, event, outcome, result_of(outcome), 100.0, sent, ended, seconds, pid=7)
