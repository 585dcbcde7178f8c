"""Timers and bridges, as metrics."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric

from host.observing.metrics.families import counter, gauge, labels_of
from triggers.timers.trigger import TimerState

if TYPE_CHECKING:
    # Only who has bridges pays for the libraries that ask their sources.
    from triggers.bridge.bridge import BridgeState

TIMERS = {
    "fired": "Moments at which a timer fired.",
    "missed": "Moments that a timer missed because the host was down, asleep or busy.",
    "skipped": "Events of a timer that were left out because the one before still waited.",
    "failed": "Events of a timer that became dead letters.",
}
BRIDGES = {
    "published": "Records of a bridge that its broker has confirmed.",
    "dropped": "Records of a bridge dropped because too many waited.",
    "refused": "Records of a bridge that its broker would not take.",
}


class SourceMetrics:
    """`timers` and `bridges` give them as they are when called."""

    def __init__(
        self, timers: Callable[[], Iterable[TimerState]], bridges: "Callable[[], Iterable[BridgeState]]"
    ) -> None:
        self._timers = timers
        self._bridges = bridges

    def collect(self) -> Iterator[Metric]:
        """All families of both."""
        timers = [(labels_of(timer=each.name), each) for each in self._timers()]
        for field, says in TIMERS.items():
            yield counter(
                f"fnhost_timer_{field}", says, [(labels, getattr(each, field)) for labels, each in timers]
            )
        bridges = [(labels_of(bridge=each.name), each) for each in self._bridges()]
        for field, says in BRIDGES.items():
            yield counter(
                f"fnhost_bridge_{field}_records",
                says,
                [(labels, getattr(each, field)) for labels, each in bridges],
            )
        yield gauge(
            "fnhost_bridge_connected",
            "1 while the broker of a bridge is there.",
            ((labels, int(each.connected)) for labels, each in bridges),
        )
        yield gauge(
            "fnhost_bridge_waiting_records",
            "Records of a bridge that no broker has confirmed yet.",
            ((labels, each.waiting) for labels, each in bridges),
        )
