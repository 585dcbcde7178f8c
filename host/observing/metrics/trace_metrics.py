"""What became of spans on their way to a collector, as metrics."""

from collections.abc import Callable, Iterator

from prometheus_client.metrics_core import Metric

from host.observing.metrics.families import NONE, counter


class TraceMetrics:
    """`lost` counts the spans that no collector has taken; 0 where none are made."""

    def __init__(self, lost: Callable[[], int]) -> None:
        self._lost = lost

    def collect(self) -> Iterator[Metric]:
        """The one family there is."""
        says = "Spans that no collector has taken."
        yield counter("fnhost_spans_lost", says, [(NONE, self._lost())])
