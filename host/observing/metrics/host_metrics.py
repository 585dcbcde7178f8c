"""What the host itself is, as metrics: its build, its readiness, its clock and its process."""

import platform
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version

from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector

from host.health import Health
from host.observing.metrics.families import NONE, gauge, labels_of


class HostMetrics:
    """`clock` gives seconds since the epoch."""

    def __init__(self, health: Health, clock: Callable[[], float] = time.time) -> None:
        self._health = health
        self._clock = clock
        self._process = ProcessCollector(registry=None)
        self._build = labels_of(version=version("fnhost"), python=platform.python_version())

    def collect(self) -> Iterator[Metric]:
        """All families of the host."""
        yield gauge("fnhost_build_info", "The program; the value is 1.", [(self._build, 1)])
        ready = int(self._health.is_ready)
        yield gauge("fnhost_ready", "1 while the host takes events, as `/readyz` says.", [(NONE, ready)])
        says = "The clock of the host's machine, in seconds since the epoch."
        yield gauge("fnhost_time_seconds", says, [(NONE, self._clock())])
        yield from self._process.collect()
