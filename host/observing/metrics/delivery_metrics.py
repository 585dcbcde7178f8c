"""What waits on its way from triggers to functions, and what is kept of it on disk, as metrics."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric

from host.observing.metrics.families import NONE, Labels, Values, counter, gauge, labels_of
from triggers.delivery.lane_plan import LaneView
from triggers.store.store import DeliveryStore

Lanes = Callable[[], list[tuple[str, str, LaneView]]]
"""The rule's or timer's name ("" where there is none), the function's or revision's, how much waits."""


@dataclass(slots=True)
class Waiting:
    """What waits for one function from one source."""

    labels: Labels
    events: int = 0
    stored: int = 0
    oldest: float = 0.0

    def add(self, view: LaneView) -> None:
        """One lane more: of another revision, or of another rule of that name."""
        self.events += view.events
        self.stored += view.stored
        self.oldest = max(self.oldest, view.oldest)


class InboxMetrics:
    """`lanes` are those of each trigger."""

    def __init__(self, lanes: Mapping[str, Lanes]) -> None:
        self._lanes = lanes

    def collect(self) -> Iterator[Metric]:
        """All families of what waits."""
        waiting = self._look()
        yield gauge(
            "fnhost_inbox_events",
            "Events that a trigger has received and that have no answer yet, on disk or not.",
            ((each.labels, each.events) for each in waiting),
        )
        yield gauge(
            "fnhost_inbox_stored_events",
            "Those of them that are on disk only, roughly.",
            ((each.labels, each.stored) for each in waiting),
        )
        yield gauge(
            "fnhost_inbox_oldest_seconds",
            "How long the oldest event that is in memory has been waiting for its answer.",
            ((each.labels, each.oldest) for each in waiting),
        )

    def _look(self) -> list[Waiting]:
        waiting: dict[tuple[str, str, str], Waiting] = {}
        for trigger, lanes in self._lanes.items():
            for source, target, view in lanes():
                function = target.partition("@")[0]
                key = trigger, source, function
                if key not in waiting:
                    waiting[key] = Waiting(labels_of(trigger=trigger, source=source, function=function))
                waiting[key].add(view)
        return list(waiting.values())


class StoreMetrics:
    """The delivery store; `quota` is in bytes."""

    def __init__(self, store: DeliveryStore, quota: int) -> None:
        self._store = store
        self._quota = quota

    def collect(self) -> Iterator[Metric]:
        """All families of the store."""
        store = self._store
        for name, says, value in (
            ("delivery_used_bytes", "Disk used by events, results and dead letters.", store.used),
            (
                "delivery_quota_bytes",
                "What they may use; from 80 % on nothing is taken in.",
                self._quota,
            ),
            ("delivery_takes_in", "1 while new events may be kept; `/readyz` says why not.", store.takes_in),
            ("dead_letters", "Events and results that failed for good, and are kept.", store.letter_count),
        ):
            yield gauge(f"fnhost_{name}", says, _one(value))
        for name, says, value in (
            ("delivery_commits", "Groups of changes written to disk.", store.commits),
            ("delivery_damaged_rows", "Rows and places on disk that were found damaged.", store.damaged),
            (
                "dead_letters_dropped",
                "Dead letters dropped because they were too many or too old.",
                store.dropped_letters,
            ),
            (
                "results_dropped",
                "Results dropped because no broker took them in time.",
                store.dropped_results,
            ),
            (
                "asynchronous_results_dropped",
                "Results of asynchronous invocations dropped before their time.",
                store.dropped_invocations,
            ),
        ):
            yield counter(f"fnhost_{name}", says, _one(value))


def _one(value: int) -> Values:
    return [(NONE, int(value))]
