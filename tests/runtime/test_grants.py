"""First instances when the memory budget is used up, in simulated time."""

import pytest

from runtime.scaling.budget import Memory
from runtime.scaling.decisions import Decision
from runtime.scaling.grants import MOST_BEYOND, Grants
from runtime.spec import MIB, ScaleRule
from tests.runtime.simulated import START, SimulatedPool, Site

RULE = ScaleRule(max=8, idle=3600.0, keep_warm=3600.0)


class Booting(SimulatedPool):
    """Its arbiter has loaded the package a while after it was started."""

    boot = 2.0

    def apply(self, decision: Decision) -> None:
        if decision.wanted and self.temperature == "cold":
            self.temperature, self._wanted = "warm", decision.wanted
            self._loop.call_later(self.boot, self._refill)
        elif self._instances:
            super().apply(decision)
        else:
            self._wanted = decision.wanted


def pool_of(site: Site, size: int, rule: ScaleRule = RULE) -> SimulatedPool:
    """A cold pool; each of its processes will take so many bytes."""
    pool = site.pool(rule)
    site.figures.sizes[pool] = size
    return pool


def used_once(site: Site, size: int, rule: ScaleRule = RULE) -> SimulatedPool:
    """A pool that has run an event."""
    pool = pool_of(site, size, rule)
    pool.submit()
    site.loop.run(20)
    return pool


def weigh(site: Site, pools: list[SimulatedPool]) -> int:
    """Bytes that they really use."""
    return sum(site.figures.sizes[pool] * len(pool.pids()) for pool in pools)


def test_of_many_cold_functions_only_some_start_and_the_rest_follow_as_others_are_cooled() -> None:
    site = Site(budget=510 * MIB)
    idle = [used_once(site, 50 * MIB) for _ in range(5)]
    cold = [pool_of(site, 20 * MIB) for _ in range(40)]
    for pool in cold:
        pool.submit()
    site.loop.run(0)
    assert [pool.temperature for pool in cold].count("hot") == 1
    most = 0
    while site.loop.now < START + 250:
        site.loop.run(0.3)
        most = max(most, weigh(site, idle + cold))
    assert all(pool.ended == 1 for pool in cold)
    assert 510 * MIB < most <= 510 * MIB * MOST_BEYOND + 40 * MIB


def test_one_is_granted_for_each_pool_that_can_be_cooled_until_there_is_room() -> None:
    grants, over = Grants(), Memory(used=101, budget=100)
    pools = [SimulatedPool(Site(), Site().pool(RULE).spec) for _ in range(6)]
    for pool in pools[:2]:
        grants.note(pool, True)
    assert [grants.ask(pool, over, 0.0) for pool in pools[2:5]] == [True, True, False]
    grants.note(pools[2], True)
    assert not grants.ask(pools[4], over, 1.0)
    assert not grants.ask(pools[4], Memory(99, 100, low=True), 1.0)
    assert grants.ask(pools[4], Memory(99, 100), 1.0)
    assert grants.ask(pools[5], over, 2.0) and not grants.ask(pools[3], Memory(111, 100), 3.0)


def test_where_nothing_can_be_cooled_one_function_at_a_time_goes_beyond_the_budget() -> None:
    site = Site(budget=500 * MIB)
    kept = used_once(site, 300 * MIB, ScaleRule(min=1))
    late = [pool_of(site, 50 * MIB) for _ in range(3)]
    late[0].service = 30.0
    for pool in late:
        pool.submit()
    site.loop.run(25)
    assert [pool.measure().running for pool in late] == [1, 0, 0]
    assert [pool.temperature for pool in late] == ["hot", "cold", "cold"]
    site.loop.run(60)
    assert [pool.ended for pool in late] == [1, 1, 1]
    assert kept.measure().instances == 1


@pytest.mark.parametrize("low", [False, True])
def test_a_function_that_is_alone_starts_whatever_the_memory(low: bool) -> None:
    site = Site(budget=1)
    site.figures.low = low
    pool = pool_of(site, 50 * MIB)
    for _ in range(3):
        pool.submit()
    site.loop.run(5)
    assert pool.ended == 3 and pool.changes[0] == (0.0, 1)


def test_while_the_machine_is_low_on_memory_none_starts_beside_another_until_there_is_room_again() -> None:
    site = Site()
    busy, idle = used_once(site, MIB), used_once(site, MIB)
    busy.service = 3600.0
    busy.submit()
    site.figures.low = True
    late = pool_of(site, MIB)
    late.submit()
    site.loop.run(30)
    assert late.temperature == "cold" and idle.temperature == "cold"
    assert "less than 5 %" in site.scaler.why(late)[-1].decision.sentence
    site.figures.low = False
    site.loop.run(1)
    assert late.ended == 1


def test_a_promised_instance_that_was_held_back_starts_when_room_comes_though_no_event_does() -> None:
    site = Site(budget=500 * MIB)
    for _ in range(2):
        used_once(site, 150 * MIB, ScaleRule(min=1))
    held = pool_of(site, MIB, ScaleRule(min=1))
    site.scaler.activate(held)
    site.loop.run(60)
    assert held.measure().instances == 0 and site.scaler.why(held)[-1].decision.held_back
    site.scaler.budget = 800 * MIB
    site.loop.run(2)
    assert held.measure().instances == 1


def test_pools_that_start_at_once_count_at_a_guess_until_they_are_read() -> None:
    site = Site(budget=100 * MIB)
    pools = [pool_of(site, MIB) for _ in range(10)]
    for pool in pools:
        pool.service = 3600.0
        pool.submit()
    site.loop.run(0)
    hot = [pool for pool in pools if pool.temperature == "hot"]
    assert len(hot) == 4 and site.scaler.memory.used == len(hot) * 27_000_000 == site.scaler.memory.unread
    site.loop.run(2)
    assert all(pool.temperature == "hot" for pool in pools)
    assert site.scaler.memory.used == 20 * MIB and not site.scaler.memory.unread


def test_nothing_is_cooled_for_a_guess() -> None:
    site = Site(budget=1000 * MIB)
    large, overs = used_once(site, 400 * MIB), 0
    for _ in range(10):
        small = pool_of(site, MIB)
        small.submit()
        site.loop.run(0)
        assert small.temperature == "hot" and site.scaler.memory.unread > 50 * MIB
        overs += site.scaler.memory.over
        site.loop.run(0.5)
    assert overs and large.temperature == "hot" and site.scaler.memory.used < 900 * MIB


def test_a_start_is_neither_called_off_nor_measured_halfway() -> None:
    site = Site(budget=50 * MIB)
    pool = Booting(site, site.pool(RULE).spec)
    site.figures.sizes[pool] = 10 * MIB
    pool.submit()
    site.loop.run(1)
    assert site.figures.figure(pool) is None
    assert pool.measure().instances == 0 and [each.wanted for each in decisions(site, pool)] == [1]
    site.loop.run(5)
    assert pool.ended == 1 and site.scaler.memory.used == 20 * MIB


def decisions(site: Site, pool: SimulatedPool) -> list[Decision]:
    """What was decided for it, oldest first."""
    return [record.decision for record in site.scaler.why(pool)]
