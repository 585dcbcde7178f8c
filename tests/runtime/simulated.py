"""A pool in simulated time, as the scaler sees it, and a loop whose clock does not wait."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from runtime.scaling.decisions import Decision, Measurement, Temperature
from runtime.scaling.memory import Figure, Sampled, Usage
from runtime.scaling.scaler import Scaler
from runtime.scaling.servicetime import ServiceTime
from runtime.spec import MIB, BatchRule, PoolSpec, ScaleRule

START = 1000.0


class Planned:
    """A callback that waits for its time."""

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.callback = callback
        self.args = args
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class SimulatedLoop:
    """Runs what is due, in order; its time is that of what runs."""

    def __init__(self) -> None:
        self.now = START
        self._numbers = count()
        self._due: list[tuple[float, int, Planned]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Planned:
        return self.call_later(0.0, callback, *args)

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Planned:
        planned = Planned(callback, args)
        heapq.heappush(self._due, (self.now + delay, next(self._numbers), planned))
        return planned

    def run(self, seconds: float) -> int:
        """Let so much time pass; returns how many callbacks ran."""
        ran, end = 0, self.now + seconds
        while self._due and self._due[0][0] <= end:
            when, _, planned = heapq.heappop(self._due)
            if not planned.cancelled:
                self.now = when
                planned.callback(*planned.args)
                ran += 1
        self.now = end
        return ran


class KnownFigures:
    """Memory that a test has made up: each process of a pool has the same."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self.low = False
        self.sizes: dict[Sampled, int] = {}
        self.on_figure: Callable[[], None] = lambda: None
        self._loop = loop
        self._figures: dict[Sampled, Figure] = {}

    def figure(self, pool: Sampled) -> Figure | None:
        return self._figures.get(pool)

    def want(self, pool: Sampled) -> None:
        self._loop.call_later(0.2, self._read, pool)

    def forget(self, pool: Sampled) -> None:
        self._figures.pop(pool, None)

    def _read(self, pool: Sampled) -> None:
        size, processes = self.sizes.get(pool, 0), len(pool.pids())
        if processes:
            self._figures[pool] = Figure(self._loop.now, size * processes, processes, size)
        else:
            self._figures.pop(pool, None)
        self.on_figure()


class SimulatedInstance:
    """Ready after its start; `running` are batches of events."""

    def __init__(self) -> None:
        self.ready = False
        self.running: list[int] = []


class SimulatedPool:
    """Instances take `service` seconds an event (or a batch), and `start` seconds to be ready."""

    start = 0.01
    sharers = 1
    service: float = 0.1
    deadly = False

    def __init__(self, site: "Site", spec: PoolSpec) -> None:
        self.spec = spec
        self.changes: list[tuple[float, int]] = []
        self.ended = self.cut = 0
        self.fixed: int | None = None
        self.times = ServiceTime(spec.batch.max_size if spec.batch else 1)
        self.temperature: Temperature = "cold"
        self.waiting: deque[float] = deque()
        self.longest_wait = 0.0
        self.failures = 0
        self._arrived = 0
        self._wanted = 0
        self._instances: list[SimulatedInstance] = []
        self._site = site
        self._loop = site.loop
        self.last_used = self._loop.now

    def submit(self) -> None:
        self._arrived += 1
        self.last_used = self._loop.now
        self.waiting.append(self._loop.now)
        self._pump()
        if self.waiting:
            self._site.scaler.activate(self)

    def measure(self) -> Measurement:
        working = [each for each in self._instances if each.running]
        return Measurement(
            now=self._loop.now,
            arrived=self._arrived,
            waiting=len(self.waiting),
            running=sum(sum(each.running) for each in working),
            busy=len(working),
            service_time=self.times.seconds,
            instances=len(self._instances),
            temperature="hot" if self._instances else self.temperature,
            last_used=self.last_used,
            fixed=self.fixed,
            failing=self.failures > 0,
        )

    def apply(self, decision: Decision) -> None:
        if decision.wanted != self._wanted:
            self.changes.append((self._loop.now - START, decision.wanted))
        self._wanted, self.temperature = decision.wanted, decision.temperature
        idle = [each for each in self._instances if not each.running]
        for each in idle[: max(0, len(self._instances) - decision.wanted)]:
            self._instances.remove(each)
        self._refill()

    def pids(self) -> list[int]:
        return [] if self.temperature == "cold" else [1, *range(2, 2 + len(self._instances))]

    def weigh(self, usage: Mapping[int, Usage]) -> None:
        """It may have any weight."""

    def _refill(self) -> None:
        while len(self._instances) < self._wanted:
            instance = SimulatedInstance()
            self._instances.append(instance)
            self._loop.call_later(self.start + min(30.0, 0.1 * self.failures), self._ready, instance)

    def _ready(self, instance: SimulatedInstance) -> None:
        instance.ready = True
        self._pump()

    def _pump(self) -> None:
        size = self.spec.batch.max_size if self.spec.batch else 1
        for instance in list(self._instances):
            while instance.ready and self.waiting and len(instance.running) < self.spec.concurrency:
                batch = [self.waiting.popleft() for _ in range(min(size, len(self.waiting)))]
                self.longest_wait = max(self.longest_wait, self._loop.now - batch[0])
                instance.running.append(len(batch))
                end = self._die if self.deadly else self._end
                self._loop.call_later(self.service, end, instance, len(batch))

    def _end(self, instance: SimulatedInstance, size: int) -> None:
        self.cut += size if instance not in self._instances else 0
        instance.running.remove(size)
        self.ended += size
        self.last_used = self._loop.now
        self.times.note(self.service, size)
        self._pump()

    def _die(self, instance: SimulatedInstance, size: int) -> None:
        self._instances.remove(instance)
        self.failures += 1
        self._refill()


class Site:
    """A loop, a scaler and the pools of one test."""

    def __init__(self, budget: int = 1024 * MIB) -> None:
        self.loop = SimulatedLoop()
        self.figures = KnownFigures(self.loop)
        self.scaler = Scaler(self.loop, self.figures, budget)
        self.figures.on_figure = self.scaler.memory_read

    def pool(self, rule: ScaleRule, concurrency: int = 1, batch: BatchRule | None = None) -> SimulatedPool:
        folder = Path("nowhere")
        spec = PoolSpec("f", 1, "", folder, folder, folder, scale=rule, concurrency=concurrency, batch=batch)
        return SimulatedPool(self, spec)

    def feed(self, pool: SimulatedPool, arrivals: Iterable[float]) -> None:
        """Let events arrive at these seconds from now on, which must be in order."""
        times = iter(arrivals)
        self._feed_next(pool, times, self.loop.now)

    def _feed_next(self, pool: SimulatedPool, times: Iterator[float], start: float) -> None:
        if (after := next(times, None)) is not None:
            self.loop.call_later(max(0.0, start + after - self.loop.now), self._arrive, pool, times, start)

    def _arrive(self, pool: SimulatedPool, times: Iterator[float], start: float) -> None:
        pool.submit()
        self._feed_next(pool, times, start)
