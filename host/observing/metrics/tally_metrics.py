"""What was counted of functions, as metrics."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from prometheus_client.metrics_core import Metric

from host.observing.metrics.families import Histogram, Labels, Values, counter, labels_of, summary
from host.observing.metrics.tallies import FunctionTally, Tallies
from runtime.usage import UNKNOWN

Reason = TypeVar("Reason", bound=str)
Rows = list[tuple[str, Labels, FunctionTally]]
Deployed = Callable[[], Mapping[str, Collection[int]]]
"""The functions there are, each with its revisions."""


class TallyMetrics:
    """Its series are those of functions and revisions that are deployed, whatever was once."""

    def __init__(self, tallies: Tallies, deployed: Deployed) -> None:
        self._tallies = tallies
        self._deployed = deployed

    def collect(self) -> Iterator[Metric]:
        """All families of what was counted."""
        self._tallies.retain(self._deployed())
        rows = [(name, labels_of(function=name), tally) for name, tally in self._tallies.functions().items()]
        yield counter(
            "fnhost_invocations",
            "Events that a function's pool has done with, by how they ended.",
            _invocations(rows),
        )
        yield counter(
            "fnhost_refused",
            "Events that no pool took in, by the reason.",
            _refused(rows, self._tallies),
        )
        yield Histogram(
            "fnhost_invocation_duration_seconds",
            "How long functions ran, of events that an instance had.",
            [(labels, tally.duration) for _, labels, tally in rows],
        )
        yield counter(
            "fnhost_invocations_near_deadline",
            "Runs that took more than 80 % of their deadline.",
            ((labels, tally.near_deadline) for _, labels, tally in rows),
        )
        yield Histogram(
            "fnhost_invocation_queue_seconds",
            "How long events waited for an instance.",
            [(labels, tally.queue) for _, labels, tally in rows],
        )
        yield from _instances(rows)


def _instances(rows: Rows) -> Iterator[Metric]:
    starts = [
        (labels_of(function=name, kind=kind), times)
        for name, _, tally in rows
        for kind, times in tally.starts.items()
    ]
    yield counter(
        "fnhost_starts",
        "Instances that became ready, from a loaded package (warm) or after that was loaded, too (cold).",
        ((labels, times.count) for labels, times in starts),
    )
    yield summary(
        "fnhost_start_seconds",
        "How long instances took to become ready.",
        ((labels, times.count, times.total) for labels, times in starts),
    )
    yield counter(
        "fnhost_instance_ends",
        "Instances that ended: retired by the host, killed by it, or died by themselves.",
        _by_reason((name, tally.ends) for name, _, tally in rows),
    )
    yield counter(
        "fnhost_scaling_decisions",
        "Decisions of the autoscaler, by the reason that `fnhost why` tells.",
        _by_reason((name, tally.decisions) for name, _, tally in rows),
    )


def _invocations(rows: Rows) -> Values:
    for name, _, tally in rows:
        for (revision, trigger, result), count in list(tally.runs.items()):
            yield labels_of(function=name, revision=str(revision), trigger=trigger, result=result), count


def _refused(rows: Rows, tallies: Tallies) -> Values:
    for name, refused in [*((name, tally.refused) for name, _, tally in rows), (UNKNOWN, tallies.unknown)]:
        for (trigger, reason), count in list(refused.items()):
            yield labels_of(function=name, trigger=trigger, reason=reason), count


def _by_reason(rows: Iterable[tuple[str, Mapping[Reason, int]]]) -> Values:
    for name, counts in rows:
        for reason, count in list(counts.items()):
            yield labels_of(function=name, reason=reason), count
