"""The loop around the autoscaler: looks at the pools that are in use, and keeps what was decided for them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf

from runtime.scaling.autoscaler import BURST_WINDOW, TICK, State, cool, decide, next_look
from runtime.scaling.budget import (
    Memory,
    complete,
    count_fitting,
    expect,
    find_coldest,
    find_typical,
    is_stale,
    may_cool,
    room_for,
)
from runtime.scaling.decisions import Decision, History, Measurement, Record, Room
from runtime.scaling.grants import Grants
from runtime.scaling.memory import Figure
from runtime.scaling.scaled import Cancellable, Clock, Figures, ScaledPool
from runtime.spec import PoolSpec

SHORTEST_PAUSE = 0.01
"""Seconds between two looks at one pool, however many events find no free slot."""
COOL_EVERY = 1.0
LONGEST_WAIT = 10.0
CALM_EVERY = 0.3
"""Seconds between two looks at a pool that is in use and as it should be; others are looked at every tick."""


@dataclass(eq=False)
class Tracked:
    """What the scaler knows of one pool; `due` is the loop's time of the next look.

    It is expected to use so many bytes; `unread` are those of them that are a guess, all or none.
    """

    pool: ScaledPool
    state: State | None = None
    history: History = field(default_factory=History)
    called: Cancellable | None = None
    looked: float = -inf
    due: float = inf
    expected: int = 0
    unread: int = 0
    has_process: bool = True


class Scaler:
    """Has each pool be what is decided for it; `budget` is in bytes. While all are cold, no timer runs.

    `decided` hears of decisions that are news.
    """

    def __init__(
        self,
        loop: Clock,
        figures: Figures,
        budget: int,
        decided: Callable[[PoolSpec, Decision], None] = lambda spec, decision: None,
    ) -> None:
        self._decided = decided
        self.budget = budget
        self._loop = loop
        self._figures = figures
        self._tracked: dict[ScaledPool, Tracked] = {}
        self._active: dict[ScaledPool, Tracked] = {}
        self._held: set[ScaledPool] = set()
        self._grants = Grants()
        self._typical = find_typical(())
        self._used = self._unread = 0
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
        self._grants.forget(pool)
        if tracked is not None:
            self._used -= tracked.expected
            self._unread -= tracked.unread
            if tracked.called is not None:
                tracked.called.cancel()

    def why(self, pool: ScaledPool) -> list[Record]:
        """The last decisions that changed something, newest last."""
        tracked = self._tracked.get(pool)
        return list(tracked.history.records) if tracked is not None else []

    @property
    def memory(self) -> Memory:
        """What the pools use beside what they may use; those that were not read count at a guess."""
        return Memory(self._used, self.budget, self._figures.low, self._unread)

    @property
    def held(self) -> list[str]:
        """The functions with less than they need or were promised, for want of memory, by their names."""
        return sorted({pool.spec.function for pool in self._held})

    def figure(self, pool: ScaledPool) -> Figure | None:
        """What was read last of this pool; None before that, and while it has no process."""
        return self._figures.figure(pool)

    def memory_read(self) -> None:
        """There is a new figure: to be called by the sampler."""
        figures = (self._figures.figure(pool) for pool in self._active)
        self._typical = find_typical(figure for figure in figures if figure is not None)
        for tracked in self._active.values():
            self._count(tracked)
        if self.memory.short:
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
        seen = replace(seen, room=room) if (room := self._room(tracked, seen)) else seen
        state, decision = decide(tracked.pool.spec, tracked.state, seen)
        self._settle(tracked, state, decision)

    def _settle(self, tracked: Tracked, state: State, decision: Decision) -> None:
        pool, seen = tracked.pool, decision.seen
        tracked.state, tracked.looked = state, self._loop.time()
        if tracked.history.note(decision):
            self._decided(pool.spec, decision)
        if decision.changes or (decision.wanted, decision.temperature) != (seen.instances, seen.temperature):
            pool.apply(decision)
        self._grants.note(pool, may_cool(seen, decision.rule) and decision.temperature != "cold")
        # Between two failed starts there is no process either; the next one asks anew.
        is_gone = seen.temperature == "cold" and (decision.temperature == "cold" or seen.failing)
        tracked.has_process = not is_gone
        if is_gone:
            self._figures.forget(pool)
            self._grants.forget(pool)
        elif (seen.instances or not decision.wanted) and is_stale(self._figures.figure(pool), seen):
            # An arbiter that is about to load its package would be read as a small one.
            self._figures.want(pool)
        self._count(tracked)
        self._plan(tracked, state, decision)

    def _plan(self, tracked: Tracked, state: State, decision: Decision) -> None:
        tracked.due = self._next(state, decision)
        if tracked.due < inf:
            self._active[tracked.pool] = tracked
        else:
            self._active.pop(tracked.pool, None)
        if decision.held_back:
            self._held.add(tracked.pool)
        else:
            self._held.discard(tracked.pool)
        self._arm(tracked.due)

    def _next(self, state: State, decision: Decision) -> float:
        seen, due = decision.seen, next_look(state, decision)
        if decision.held_back:
            # Also one whose `min` is not there, for which no event waits.
            return min(due, seen.now + COOL_EVERY)
        return max(due, seen.now + CALM_EVERY) if _is_calm(decision) else due

    def _count(self, tracked: Tracked) -> None:
        figure, state = self._figures.figure(tracked.pool), tracked.state
        if state is None or not tracked.has_process:
            expected = 0
        else:
            expected = expect(complete(figure, self._typical), state.wanted)
        unread = expected if figure is None else 0
        self._used += expected - tracked.expected
        self._unread += unread - tracked.unread
        tracked.expected, tracked.unread = expected, unread

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
        try:
            for tracked in [each for each in self._active.values() if each.due <= soon]:
                # First of all: whatever comes of this look, there is a next one.
                tracked.due = soon + TICK
                self._look(tracked)
            self._relieve()
        finally:
            self._arm(min((each.due for each in self._active.values()), default=inf))

    # Memory.

    def _room(self, tracked: Tracked, seen: Measurement) -> Room | None:
        rule, memory = tracked.pool.spec.scale, self.memory
        figure = complete(self._figures.figure(tracked.pool), self._typical)
        fitting = count_fitting(memory, figure, tracked.expected)
        # What was decided before is counted in what is used; a start is not called off halfway.
        fitting = max(fitting, tracked.state.wanted if tracked.state else 0)
        room = room_for(memory, fitting, seen, rule)
        if room is None or room.instances or seen.instances:
            return room
        promised = seen.waiting or rule.min or seen.fixed
        return replace(room, instances=1) if promised and self._is_granted(tracked) else room

    def _is_granted(self, tracked: Tracked) -> bool:
        now = self._loop.time()
        if self._used == tracked.expected:
            # Nothing else runs, so that waiting would not help.
            self._grants.give(tracked.pool, now)
            return True
        return self._grants.ask(tracked.pool, self.memory, now)

    def _relieve(self) -> None:
        """Cool one idle pool by a step when memory is short."""
        now = self._loop.time()
        if not self._held and not self.memory.short:
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
        # What the last step has freed must be known before the next one, and what was granted since.
        if any(self._figures.figure(pool) is None for pool in self._grants.since(now - COOL_EVERY)):
            return False
        pool, at = self._cooled
        figure = self._figures.figure(pool) if pool is not None else None
        return now - at >= (COOL_EVERY if figure is None or figure.at > at else LONGEST_WAIT)

    def _cool(self, tracked: Tracked, seen: Measurement, now: float) -> None:
        memory = self.memory
        seen = replace(seen, room=Room(0, memory.used, memory.budget, memory.low))
        self._cooled = tracked.pool, now
        self._settle(tracked, *cool(tracked.pool.spec, tracked.state, seen))


def _is_calm(decision: Decision) -> bool:
    """Whether nothing waits, nothing changes and no burst has begun; the next one may find no free slot."""
    seen, there = decision.seen, (decision.seen.instances, decision.seen.temperature)
    settled = not decision.changes and there == (decision.wanted, "hot")
    lasting = not seen.idle or decision.rule.idle >= BURST_WINDOW
    return settled and lasting and not seen.waiting and decision.need.why != "burst"
