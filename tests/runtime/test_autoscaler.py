"""The autoscaler on load curves, in simulated time."""

import random
from collections.abc import Callable, Iterator
from itertools import chain, pairwise
from pathlib import Path

import pytest

from runtime.scaling.autoscaler import decide
from runtime.scaling.decisions import Decision, Measurement, Room
from runtime.scaling.servicetime import ServiceTime
from runtime.spec import BatchRule, PoolSpec, ScaleRule
from tests.runtime.simulated import SimulatedPool, Site

EIGHT = ScaleRule(max=8)
MINUTES = 60.0


def steady(rate: float, seconds: float) -> Iterator[float]:
    """An event each so often."""
    return (number / rate for number in range(int(rate * seconds)))


def random_arrivals(rate: float, seconds: float, seed: int) -> Iterator[float]:
    """Events that know nothing of each other (a Poisson process)."""
    source, at = random.Random(seed), 0.0
    while (at := at + source.expovariate(rate)) < seconds:
        yield at


def curve(rate_at: Callable[[float], float], seconds: float) -> Iterator[float]:
    """Events at a rate that changes with time."""
    at = 0.0
    while at < seconds:
        yield at
        at += 1 / max(0.1, rate_at(at))


def run(
    arrivals: Iterator[float], seconds: float, rule: ScaleRule = EIGHT, **changes: float
) -> SimulatedPool:
    """What becomes of a pool with these arrivals; no event of it may have been cut."""
    site = Site()
    pool = site.pool(rule)
    for name, value in changes.items():
        setattr(pool, name, value)
    site.feed(pool, arrivals)
    site.loop.run(seconds)
    assert pool.cut == 0
    return pool


def counts(pool: SimulatedPool, since: float = 0.0, until: float = 1e9) -> list[int]:
    """The counts that were decided in this time."""
    return [count for at, count in pool.changes if since <= at < until]


def count_at(pool: SimulatedPool, moment: float) -> int:
    """The count that held then."""
    return [0, *(count for at, count in pool.changes if at <= moment)][-1]


def spec(rule: ScaleRule = EIGHT, **changes: int) -> PoolSpec:
    """A revision that is never run."""
    return PoolSpec("f", 1, "", Path("python"), Path("package"), Path("output"), scale=rule, **changes)  # type: ignore[arg-type]


def look(waiting: int, service_time: float | None, **changes: object) -> Measurement:
    """A warm pool at which so many events have just arrived."""
    seen = Measurement(100.0, waiting, waiting, 0, 0, service_time, 0, "warm", 100.0)
    values = {name: getattr(seen, name) for name in Measurement.__dataclass_fields__}
    return Measurement(**{**values, **changes})


def first(seen: Measurement, rule: ScaleRule = EIGHT) -> Decision:
    """What is decided at the first look."""
    return decide(spec(rule), None, seen)[1]


def test_a_spike_from_warm_wants_all_instances_at_the_first_look() -> None:
    for service_time in (None, 0.1):
        decision = first(look(50, service_time))
        assert (decision.wanted, decision.temperature) == (8, "hot")


def test_a_spike_of_short_events_wants_one_instance() -> None:
    assert first(look(50, 0.001)).wanted == 1


def test_a_spike_is_answered_and_its_instances_go_after_a_minute() -> None:
    pool = run(iter([0.0] * 50), 3 * MINUTES)
    assert count_at(pool, 0.01) == count_at(pool, 59) == 8 and counts(pool)[-1] == 0 and pool.ended == 50
    assert pool.longest_wait < 0.65


def test_a_step_up_takes_seconds_and_a_step_down_the_stable_window() -> None:
    pool = run(curve(lambda at: 5 if at < 60 else 40 if at < 180 else 5, 300), 300)
    assert count_at(pool, 59) == 1
    assert count_at(pool, 62) == count_at(pool, 230) >= 5
    assert count_at(pool, 250) == 1
    assert pool.longest_wait < 0.5


def test_a_ramp_is_followed_without_a_step_back() -> None:
    pool = run(curve(lambda at: at / 3, 180), 180)
    assert counts(pool) == sorted(counts(pool)) and counts(pool)[-1] >= 6


def test_a_sawtooth_shorter_than_the_stable_window_keeps_its_peak() -> None:
    pool = run(curve(lambda at: at % 30, 200), 200)
    assert len(set(counts(pool, 60))) <= 1
    assert counts(pool) == sorted(counts(pool))


def test_silence_makes_warm_then_cold_and_costs_no_timer() -> None:
    site = Site()
    pool = site.pool(ScaleRule(idle=20.0, keep_warm=40.0))
    pool.submit()
    site.loop.run(19)
    assert pool.measure().temperature == "hot"
    site.loop.run(5)
    assert pool.measure().temperature == "warm"
    site.loop.run(40)
    assert pool.measure().temperature == "cold"
    site.loop.run(10)
    assert site.loop.run(3600) == 0
    why = [record.decision.why for record in site.scaler.why(pool)]
    assert why == ["first event", "idle", "keep_warm"]


def test_no_idle_and_no_warm_time_end_all_at_once() -> None:
    pool = run(iter([0.0]), 0.5, ScaleRule(idle=0.0, keep_warm=0.0))
    assert counts(pool) == [1, 0] and pool.temperature == "cold"


def test_slow_events_get_an_instance_each_before_one_has_ended() -> None:
    pool = run(steady(0.4, 19), 10 * MINUTES, service=20.0)
    assert max(counts(pool, until=20)) == 8 - 1 and pool.longest_wait < 0.2


def test_events_that_are_slow_for_once_are_seen_before_they_end() -> None:
    site = Site()
    pool = site.pool(EIGHT)
    pool.service = 0.001
    site.feed(pool, steady(100, 10))
    site.loop.run(10)
    pool.service = 30.0
    site.feed(pool, steady(10, 0.6))
    site.loop.run(5)
    assert pool.measure().waiting == 0


def test_a_function_that_always_dies_never_wants_a_second_instance() -> None:
    site = Site()
    pool = site.pool(EIGHT)
    pool.deadly, pool.service = True, 0.0
    site.feed(pool, steady(1, 300))
    site.loop.run(0.5)
    site.loop.run(400)
    assert set(counts(pool, 0.5)) <= {0, 1} and pool.failures > 10
    assert first(look(50, None, failing=True)).why == "failing"


@pytest.mark.parametrize(("rate", "service"), [(20, 0.1), (6.9, 0.1), (1, 0.5)])
def test_at_constant_load_the_count_stays_put_for_ten_minutes(rate: float, service: float) -> None:
    pool = run(steady(rate, 660), 660, ScaleRule(max=16), service=service)
    assert counts(pool, 60) == []


@pytest.mark.parametrize(("rate", "service"), [(2, 1.0), (21, 0.1)])
def test_random_arrivals_of_constant_load_do_not_make_it_swing(rate: float, service: float) -> None:
    pool = run(random_arrivals(rate, 720, seed=1), 720, ScaleRule(max=16), service=service)
    late = [count_at(pool, 120), *counts(pool, 120)]
    assert sum(after < before for before, after in pairwise(late)) <= 1


def test_many_short_events_need_one_instance() -> None:
    pool = run(chain([0.0], (1 + at for at in steady(500, 20))), 20, service=0.001)
    assert counts(pool) == [1]


def test_concurrency_counts_places() -> None:
    site = Site()
    pool = site.pool(EIGHT, concurrency=10)
    pool.service = 1.0
    site.feed(pool, steady(20, 60))
    site.loop.run(60)
    assert count_at(pool, 59) in (2, 3)


def test_a_batch_counts_as_one_and_its_events_by_their_share() -> None:
    site = Site()
    pool = site.pool(EIGHT, batch=BatchRule(64))
    pool.service = 0.05
    site.feed(pool, steady(200, 70))
    site.loop.run(70)
    assert count_at(pool, 69) <= 2


def test_the_share_in_a_full_batch_is_learned_from_smaller_ones() -> None:
    alike, growing, plain = ServiceTime(64), ServiceTime(64), ServiceTime()
    for size in (4, 8, 4, 16, 2) * 5:
        alike.note(0.064, size)
        growing.note(0.010 * size, size)
        plain.note(0.1)
    assert alike.seconds == pytest.approx(0.001, rel=0.05)
    assert growing.seconds == pytest.approx(0.010, rel=0.05)
    assert plain.seconds == pytest.approx(0.1) and ServiceTime().seconds is None


def test_min_is_kept_through_silence_and_max_through_load() -> None:
    pool = run(steady(100, 60), 300, ScaleRule(min=2, max=3))
    assert counts(pool) == [2, 3, 2] and pool.temperature == "hot"


def test_a_fixed_count_is_exactly_so_many() -> None:
    assert first(look(50, 0.1, fixed=12)).wanted == 12
    assert first(look(0, 0.1, fixed=2)).wanted == 2
    assert first(look(0, 0.1, fixed=0, instances=3, temperature="hot")).wanted == 0
    assert first(look(1, 0.1, fixed=0)).wanted == 1


def test_memory_allows_no_more_than_its_room() -> None:
    decision = first(look(50, 0.1, instances=2, temperature="hot", room=Room(1, 3 << 30, 4 << 30)))
    assert (decision.wanted, decision.why) == (3, "memory")
    assert "50 instances needed, but pools use 3.00 of 4.00 GiB" in decision.sentence


def test_a_sentence_tells_the_numbers() -> None:
    site = Site()
    pool = site.pool(EIGHT)
    site.feed(pool, curve(lambda at: 5 if at < 30 else 22, 120))
    site.loop.run(120 + 2 * MINUTES)
    told = [record.decision.sentence for record in site.scaler.why(pool)]
    assert told[0] == "1 instance instead of none: 1 event came while it was cold"
    assert "s waiting" in " ".join(told) or "waiting, 1 running, 100 ms each" in " ".join(told)
    assert told[-1].startswith("no instance instead of ") and "(idle is 60 s)" in told[-1]


def test_a_pool_that_is_seen_for_the_first_time_while_an_event_runs_is_no_riddle() -> None:
    spec = PoolSpec("f", 1, "", Path(), Path(), Path())
    seen = Measurement(100.0, 1, 0, 1, 1, 0.01, 1, "hot", 99.0)
    assert decide(spec, None, seen)[1].wanted == 1
