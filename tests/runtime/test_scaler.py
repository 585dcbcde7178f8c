"""The loop around the autoscaler, and who yields when memory is short, in simulated time."""

from runtime.scaling.budget import (
    Memory,
    complete,
    count_fitting,
    expect,
    find_coldest,
    find_typical,
    may_cool,
    room_for,
)
from runtime.scaling.decisions import Decision, Measurement
from runtime.scaling.memory import Figure
from runtime.spec import MIB, ScaleRule
from tests.runtime.simulated import START, SimulatedPool, Site

RULE = ScaleRule(max=8, idle=3600.0, keep_warm=3600.0)


def seen(**changes: object) -> Measurement:
    """A hot idle pool."""
    values: dict[str, object] = {
        "now": 100.0,
        "arrived": 1,
        "waiting": 0,
        "running": 0,
        "busy": 0,
        "service_time": 0.1,
        "instances": 1,
        "temperature": "hot",
        "last_used": 50.0,
        **changes,
    }
    return Measurement(**values)  # type: ignore[arg-type]


def used_once(site: Site, size: int, rule: ScaleRule = RULE) -> SimulatedPool:
    """A pool that has run an event; each of its processes takes so many bytes."""
    pool = site.pool(rule)
    site.figures.sizes[pool] = size
    pool.submit()
    site.loop.run(20)
    return pool


def reasons(site: Site, pool: SimulatedPool) -> list[str]:
    """Why it is as it is, oldest first."""
    return [record.decision.why for record in site.scaler.why(pool)]


class Counted(SimulatedPool):
    """Knows how often it was looked at."""

    looks = 0

    def measure(self) -> Measurement:
        self.looks += 1
        return super().measure()


def test_events_in_one_turn_of_the_loop_are_one_look() -> None:
    site = Site()
    pool = Counted(site, site.pool(RULE).spec)
    for _ in range(50):
        pool.submit()
    site.loop.run(0)
    assert pool.looks == 1 and pool.changes == [(0.0, 8)]


def test_the_first_event_after_the_last_instance_went_is_looked_at_at_once() -> None:
    site = Site()
    pool = used_once(site, 0)
    pool.fixed = 0
    site.scaler.activate(pool)
    site.loop.run(0)
    assert pool.temperature == "warm"
    pool.fixed, before = None, site.loop.now - START
    pool.submit()
    site.loop.run(0)
    assert pool.changes[-1] == (before, 1)


def test_a_pool_that_is_hot_and_idle_is_looked_at_every_few_seconds_only() -> None:
    site = Site()
    used_once(site, 0)
    assert site.loop.run(600) <= 110


def test_a_busy_pool_is_looked_at_ten_times_a_second_only_while_it_needs_it() -> None:
    site = Site()
    pool = Counted(site, site.pool(ScaleRule(max=1)).spec)
    pool.service = 60.0
    pool.submit()
    site.loop.run(10)
    pool.looks = 0
    site.loop.run(3)
    assert pool.looks == 10
    pool.submit()
    pool.looks = 0
    site.loop.run(3)
    assert 29 <= pool.looks <= 32


def test_a_pool_that_is_forgotten_costs_nothing_and_tells_nothing() -> None:
    site = Site()
    pool = used_once(site, MIB)
    pool.submit()
    site.scaler.forget(pool)
    site.loop.run(10)
    assert site.loop.run(600) == 0
    assert site.scaler.why(pool) == [] and site.scaler.memory.used == 0


def test_above_the_budget_the_least_recently_used_idle_pools_go_first_and_step_by_step() -> None:
    site = Site(budget=1000 * MIB)
    first, second, busy = (used_once(site, 150 * MIB) for _ in range(3))
    assert reasons(site, first) == ["first event"]
    busy.service = 100.0
    busy.submit()
    site.figures.sizes[busy] = 275 * MIB
    site.loop.run(60)
    assert site.scaler.memory.used <= 1000 * MIB
    assert (first.temperature, second.temperature) == ("warm", "hot")
    assert busy.measure().running == 1
    site.figures.sizes[busy] = 450 * MIB
    busy.submit()
    site.loop.run(60)
    assert first.temperature == "cold" and reasons(site, first)[-2:] == ["memory", "memory"]
    told = site.scaler.why(first)[-2].decision.sentence
    assert told.startswith("no instance instead of 1, warm: pools use 1.12 of 0.98 GiB; the least")


def test_a_pool_that_may_not_grow_says_so_and_grows_when_others_have_been_cooled() -> None:
    site = Site(budget=800 * MIB)
    idle, busy = used_once(site, 200 * MIB), used_once(site, 150 * MIB)
    busy.service = 30.0
    for _ in range(3):
        busy.submit()
    site.loop.run(0.5)
    assert busy.measure().instances == 1 and reasons(site, busy)[-1] == "memory"
    assert "3 instances needed, but pools use 0.68 of 0.78 GiB" in site.scaler.why(busy)[-1].decision.sentence
    site.loop.run(10)
    assert idle.temperature in ("warm", "cold") and reasons(site, idle)[-1] == "memory"
    assert busy.measure().instances == 3


def test_a_first_event_finds_an_instance_where_others_can_be_cooled() -> None:
    site = Site(budget=500 * MIB)
    idle = used_once(site, 300 * MIB)
    late = site.pool(RULE)
    site.figures.sizes[late] = 50 * MIB
    late.submit()
    site.loop.run(20)
    assert late.ended == 1 and idle.temperature != "hot"


def test_a_machine_low_on_memory_counts_as_over_the_budget() -> None:
    site = Site(budget=10**12)
    idle = used_once(site, MIB)
    site.figures.low = True
    site.figures.on_figure()
    site.loop.run(5)
    assert idle.temperature == "cold"
    assert "less than 5 %" in site.scaler.why(idle)[-1].decision.sentence


def test_a_limit_that_comes_and_goes_is_said_once() -> None:
    site = Site()
    pool = site.pool(ScaleRule(max=2))
    for _ in range(20):
        for _ in range(9):
            pool.submit()
        site.loop.run(2)
    assert reasons(site, pool) == ["max"]


def test_a_pool_grows_by_what_its_instances_hold_alone() -> None:
    figure = Figure(at=0.0, pss=300, processes=2, growth=100)
    memory = Memory(used=550, budget=800)
    assert expect(figure, 3) == 500
    assert count_fitting(memory, figure, 300) == 3
    room = room_for(memory, 3, seen(), RULE)
    assert room is not None and room.instances == 2
    assert room_for(memory, 8, seen(), RULE) is None
    assert count_fitting(Memory(801, 800), figure, 300) == 0


def test_a_pool_that_was_not_read_is_like_the_others_and_no_smaller_than_the_least() -> None:
    assert (find_typical([]).pss, find_typical([]).growth) == (25_000_000, 2_000_000)
    read = [Figure(0.0, 400 * MIB, 3, 100 * MIB), Figure(0.0, 100 * MIB, 1, 0), Figure(0.0, 0, 2, 0)]
    typical = find_typical(read)
    assert (typical.pss, typical.growth) == (150 * MIB, 100 * MIB)
    assert complete(read[2], typical) == complete(None, typical) == typical
    assert complete(read[1], typical).growth == 100 * MIB
    assert expect(typical, 2) == 350 * MIB


def test_who_is_busy_or_promised_is_not_cooled() -> None:
    assert may_cool(seen(), RULE)
    assert not may_cool(seen(running=1), RULE)
    assert not may_cool(seen(waiting=1), RULE)
    assert not may_cool(seen(), ScaleRule(min=1))
    assert not may_cool(seen(fixed=1), RULE)
    pools = [
        (seen(last_used=20.0, running=1), RULE),
        (seen(last_used=40.0), RULE),
        (seen(last_used=30.0), RULE),
    ]
    assert find_coldest(pools) == 2
    assert find_coldest(pools[:1]) is None


def test_what_is_there_is_brought_back_when_it_differs_from_what_was_decided() -> None:
    site = Site()
    applied: list[Decision] = []

    class Forgetful(SimulatedPool):
        def apply(self, decision: Decision) -> None:
            applied.append(decision)
            if len(applied) > 2:
                super().apply(decision)

    pool = Forgetful(site, site.pool(RULE).spec)
    pool.submit()
    site.loop.run(5)
    assert len(applied) == 3 and pool.ended == 1
