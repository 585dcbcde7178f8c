"""The loop around the autoscaler: looks at the pools that are in use, and keeps what was decided for them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any, Protocol

from runtime.autoscaler import TICK, State, cool, decide, next_look
from runtime.budget import Memory, expect, find_coldest, is_stale, may_cool, room_for
from runtime.decisions import Decision, History, Measurement, Record, Room
from runtime.memory import Figure, Sampled
from runtime.spec import PoolSpec

SHORTEST_PAUSE = 0.01
"""Seconds between two looks at one pool, however many events find no free slot."""
COOL_EVERY = 1.0
LONGEST_WAIT = 10.0


class ScaledPool(Sampled, Protocol):
    """A pool as the scaler sees it."""

    @property
    def spec(self) -> PoolSpec:
        """What it runs."""

    def measure(self) -> Measurement:
        """Look at it; cheap, for it is called up to a hundred times a second. `now` is the loop's time."""

    def apply(self, decision: Decision) -> None:
        """Become what was decided, as far as no running event is cut; may be said again and again."""


class Cancellable(Protocol):
    """What was planned and may be called off."""

    def cancel(self) -> None:
        """Not any more."""


class Clock(Protocol):
    """The part of an event loop that the scaler uses."""

    def time(self) -> float:
        """Monotonic seconds."""

    def call_soon(self, callback: Callable[..., object], *args: Any) -> Cancellable:
        """At the end of this turn."""

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Cancellable:
        """After so many seconds."""


class Figures(Protocol):
    """Where measured memory comes from: `runtime.memory.Sampler`."""

    @property
    def low(self) -> bool:
        """Whether the machine has hardly any memory left."""

    def figure(self, pool: Sampled) -> Figure | None:
        """What was read last."""

    def want(self, pool: Sampled) -> None:
        """Read this pool soon."""

    def forget(self, pool: Sampled) -> None:
        """The pool has no process any more."""


@dataclass(eq=False)
class Tracked:
    """What the scaler knows of one pool; `due` is the loop's time of the next look."""

    pool: ScaledPool
    state: State | None = None
    history: History = field(default_factory=History)
    seen: Measurement | None = None
    called: Cancellable | None = None
    looked: float = -inf
    due: float = inf
    expected: int = 0


class Scaler:
    """Has each pool be what is decided for it; `budget` is in bytes. While all are cold, no timer runs."""

    def __init__(self, loop: Clock, figures: Figures, budget: int) -> None:
        self.budget = budget
        self._loop = loop
        self._figures = figures
        self._tracked: dict[ScaledPool, Tracked] = {}
        self._active: dict[ScaledPool, Tracked] = {}
        self._held: set[ScaledPool] = set()
        self._used = 0
        self._timer: Cancellable | None = None
        self._armed = inf
        self._cooled: tuple[ScaledPool | None, float] = (None, -inf)

    def activate(self, pool: ScaledPool) -> None:
        """Look at this pool at the end of this turn of the loop, or 10 ms after the last look at it.

        The first event of a pool without instances does not wait for that; one that memory holds back does.
        """
        tracked = self._tracked.get(pool)
        if tracked is None:
            tracked = self._tracked[pool] = Tracked(pool)
        if tracked.called is None:
            pause = tracked.looked + SHORTEST_PAUSE - self._loop.time()
            if pause > 0 and not self._is_at_rest(tracked):
                tracked.called = self._loop.call_later(pause, self._look, tracked)
            else:
                tracked.called = self._loop.call_soon(self._look, tracked)

    def _is_at_rest(self, tracked: Tracked) -> bool:
        return tracked.state is not None and not tracked.state.wanted and tracked.pool not in self._held

    def forget(self, pool: ScaledPool) -> None:
        """The pool is no more; what was decided for it is forgotten too."""
        tracked = self._tracked.pop(pool, None)
        self._active.pop(pool, None)
        self._held.discard(pool)
        self._figures.forget(pool)
        if tracked is not None:
            self._used -= tracked.expected
            if tracked.called is not None:
                tracked.called.cancel()

    def why(self, pool: ScaledPool) -> list[Record]:
        """The last decisions that changed something, newest last."""
        tracked = self._tracked.get(pool)
        return list(tracked.history.records) if tracked is not None else []

    @property
    def memory(self) -> Memory:
        """What the pools use, as far as they have been read, beside what they may use."""
        return Memory(self._used, self.budget, self._figures.low)

    def memory_read(self) -> None:
        """There is a new figure: to be called by the sampler."""
        for tracked in self._active.values():
            self._count(tracked)
        if self.memory.over:
            self._arm(self._loop.time())

    def stop(self) -> None:
        """Look no more."""
        for pool in list(self._tracked):
            self.forget(pool)
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, tracked: Tracked) -> None:
        if tracked.called is not None:
            tracked.called.cancel()
            tracked.called = None
        seen = tracked.pool.measure()
        tracked.seen = seen = replace(seen, room=room) if (room := self._room(tracked, seen)) else seen
        state, decision = decide(tracked.pool.spec, tracked.state, seen)
        self._settle(tracked, state, decision)

    def _settle(self, tracked: Tracked, state: State, decision: Decision) -> None:
        pool, seen = tracked.pool, decision.seen
        tracked.state, tracked.looked = state, self._loop.time()
        tracked.history.note(decision)
        if decision.changes or (decision.wanted, decision.temperature) != (seen.instances, seen.temperature):
            pool.apply(decision)
        if decision.temperature == seen.temperature == "cold":
            self._figures.forget(pool)
        elif is_stale(self._figures.figure(pool), seen):
            self._figures.want(pool)
        self._count(tracked)
        self._plan(tracked, state, decision)

    def _plan(self, tracked: Tracked, state: State, decision: Decision) -> None:
        tracked.due = next_look(state, decision)
        if tracked.due < inf:
            self._active[tracked.pool] = tracked
        else:
            self._active.pop(tracked.pool, None)
        if decision.held_back:
            self._held.add(tracked.pool)
        else:
            self._held.discard(tracked.pool)
        self._arm(tracked.due)

    def _count(self, tracked: Tracked) -> None:
        expected = expect(self._figures.figure(tracked.pool), tracked.state.wanted if tracked.state else 0)
        self._used += expected - tracked.expected
        tracked.expected = expected

    def _arm(self, due: float) -> None:
        if due >= self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed = due
        self._timer = self._loop.call_later(max(0.0, due - self._loop.time()), self._tick)

    def _tick(self) -> None:
        self._armed, self._timer = inf, None
        # Pools that are due a little later are looked at now: one waking for all.
        soon = self._loop.time() + TICK / 2
        for tracked in [each for each in self._active.values() if each.due <= soon]:
            self._look(tracked)
        self._relieve()
        self._arm(min((each.due for each in self._active.values()), default=inf))

    # Memory.

    def _room(self, tracked: Tracked, seen: Measurement) -> Room | None:
        rule = tracked.pool.spec.scale
        room = room_for(self.memory, self._figures.figure(tracked.pool), seen, rule)
        if room is None or room.instances or seen.instances:
            return room
        promised = seen.waiting or rule.min or seen.fixed
        return replace(room, instances=1) if promised and self._others_cool(tracked) else room

    def _others_cool(self, tracked: Tracked) -> bool:
        others = [each for each in self._active.values() if each is not tracked]
        return any(each.seen is not None and may_cool(each.seen, each.pool.spec.scale) for each in others)

    def _relieve(self) -> None:
        """Cool one idle pool by a step when memory is short."""
        now = self._loop.time()
        if not self._held and not self.memory.over:
            return
        if not self._is_settled(now):
            self._arm(now + TICK)
            return
        pools = list(self._active.values())
        looks = [each.pool.measure() for each in pools]
        index = find_coldest((seen, each.pool.spec.scale) for seen, each in zip(looks, pools, strict=True))
        if index is not None:
            self._cool(pools[index], looks[index], now)

    def _is_settled(self, now: float) -> bool:
        # What the last step has freed must be known before the next one.
        pool, at = self._cooled
        figure = self._figures.figure(pool) if pool is not None else None
        return now - at >= (COOL_EVERY if figure is None or figure.at > at else LONGEST_WAIT)

    def _cool(self, tracked: Tracked, seen: Measurement, now: float) -> None:
        memory = self.memory
        tracked.seen = seen = replace(seen, room=Room(0, memory.used, memory.budget, memory.low))
        self._cooled = tracked.pool, now
        self._settle(tracked, *cool(tracked.pool.spec, tracked.state, seen))
