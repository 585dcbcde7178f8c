"""The autoscaler as a function: load curves in simulated time."""

from pathlib import Path

from runtime.autoscaler import State, decide
from runtime.decisions import Measurement
from runtime.spec import PoolSpec, ScaleRule


def spec() -> PoolSpec:
    """A revision that is never run."""
    return PoolSpec("f", 1, "", Path("python"), Path("package"), Path("output"), scale=ScaleRule(max=8))


def look(waiting: int, service_time: float | None) -> Measurement:
    """A warm pool at which so many events have just arrived."""
    return Measurement(100.0, waiting, waiting, 0, 0, service_time, 0, "warm", 100.0)


def test_a_spike_from_warm_wants_all_instances_at_the_first_look() -> None:
    for service_time in (None, 0.1):
        _, decision = decide(spec(), State(), look(50, service_time))
        assert (decision.wanted, decision.temperature) == (8, "hot")


def test_a_spike_of_short_events_wants_one_instance() -> None:
    assert decide(spec(), State(), look(50, 0.001))[1].wanted == 1
