"""What pools are and have at this moment, as metrics."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric

from host.deployment.catalog import Catalog
from host.observing.metrics.cpu import CpuTimes
from host.observing.metrics.families import NONE, Labels, Values, counter, gauge, labels_of
from runtime.boxes.walls import WALLS
from runtime.pool import Pool, PoolView
from runtime.scaling.scaler import Scaler

STATES = ("starting", "idle", "busy", "retiring")


def pools_of(catalog: Catalog) -> list[Pool]:
    """All there are: of live revisions and others, and those that something has taken the place of."""
    there = (pool for deployed in catalog.functions.values() for pool in deployed.pools.values())
    return list(dict.fromkeys((*there, *catalog.draining.pools)))


@dataclass(slots=True)
class Sight:
    """The pools of one function as they were found, added up."""

    labels: Labels
    limit: int = 0
    timeout: float = 0.0
    queued: int = 0
    running: int = 0
    oldest: float = 0.0
    memory: int = 0

    def add(self, pool: Pool, view: PoolView, memory: int) -> None:
        """One pool more."""
        self.queued += view.queued
        self.running += view.in_flight
        self.oldest = max(self.oldest, view.oldest)
        self.memory += memory
        self.limit = max(self.limit, pool.spec.queue)
        self.timeout = max(self.timeout, pool.spec.timeout)


class PoolMetrics:
    """Looks at pools when it is asked; functions that nobody has called have none."""

    def __init__(self, catalog: Catalog, scaler: Scaler, cpu: CpuTimes) -> None:
        self._catalog = catalog
        self._scaler = scaler
        self._cpu = cpu

    def collect(self) -> Iterator[Metric]:
        """All families of pools."""
        sights, states = self._look()
        yield gauge("fnhost_functions", "Functions deployed.", [(NONE, len(self._catalog.functions))])
        yield gauge("fnhost_instances", "Instances of functions.", _instances(states))
        yield from _queues(list(sights.values()))
        yield gauge(
            "fnhost_function_memory_bytes",
            "Memory of a function's processes, with their share of what they share (PSS), as last read.",
            ((each.labels, each.memory) for each in sights.values()),
        )
        yield counter(
            "fnhost_function_cpu_seconds",
            "Processor time of a function's processes.",
            ((each.labels, self._cpu.seconds(name)) for name, each in sights.items()),
        )
        yield from self._budget()
        yield gauge(
            "fnhost_sandbox_layers_missing",
            "1 for a layer that the box of some function should have and has not; `fnhost doctor` says why.",
            self._missing(),
        )

    def _look(self) -> tuple[dict[str, Sight], dict[str, Counter[str]]]:
        sights: dict[str, Sight] = {}
        states: dict[str, Counter[str]] = {}
        for pool in pools_of(self._catalog):
            name, view = pool.spec.function, pool.view()
            figure = self._scaler.figure(pool)
            sight = sights.get(name) or sights.setdefault(name, Sight(labels_of(function=name)))
            sight.add(pool, view, figure.pss if figure else 0)
            states.setdefault(name, Counter()).update(each.state for each in view.instances)
        return sights, states

    def _budget(self) -> Iterator[Metric]:
        memory = self._scaler.memory
        yield gauge("fnhost_memory_used_bytes", "Memory of all functions, as counted.", [(NONE, memory.used)])
        yield gauge("fnhost_memory_budget_bytes", "Memory that functions may use.", [(NONE, memory.budget)])
        yield gauge(
            "fnhost_memory_low",
            "1 while the machine has less than 5 % of its memory available.",
            [(NONE, int(memory.low))],
        )

    def _missing(self) -> Values:
        # Until a box has told there is nothing to tell: a 0 would be taken for a layer that stands.
        missing: dict[str, bool] = {}
        for deployed in list(self._catalog.functions.values()):
            for wall, why in deployed.walls.items():
                missing[wall] = missing.get(wall, False) or why is not None
        return [(labels_of(layer=wall), int(missing[wall])) for wall in WALLS if wall in missing]


def _instances(states: dict[str, Counter[str]]) -> Values:
    for name, found in states.items():
        for state in STATES:
            # One that ends has been told to, or is about to be missed.
            count = found[state] + (found["ending"] if state == "retiring" else 0)
            yield labels_of(function=name, state=state), count


def _queues(sights: Iterable[Sight]) -> Iterator[Metric]:
    yield gauge(
        "fnhost_queue_events",
        "Events that wait for an instance.",
        ((each.labels, each.queued) for each in sights),
    )
    yield gauge(
        "fnhost_queue_limit_events",
        "Events that may wait for an instance.",
        ((each.labels, each.limit) for each in sights),
    )
    yield gauge(
        "fnhost_queue_oldest_seconds",
        "How long the oldest event has been waiting for an instance.",
        ((each.labels, each.oldest) for each in sights),
    )
    yield gauge(
        "fnhost_running_events",
        "Events that instances hold.",
        ((each.labels, each.running) for each in sights),
    )
    yield gauge(
        "fnhost_function_timeout_seconds",
        "How long an event of this function may wait and run.",
        ((each.labels, each.timeout) for each in sights),
    )
