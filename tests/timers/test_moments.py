"""Which moments come when clocks are set, the machine sleeps, and the host starts again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.timers.clocks import NOON, FakeClock, timer_plan
from triggers.timers.moments import SET_BACK, STEP, Due, Moments

HOUR = 3600.0
NIGHT = 8 * HOUR


def look_often(moments: Moments, clock: FakeClock, seconds: float) -> list[Due]:
    """Let time pass as the timer does, from look to look."""
    found: list[Due] = []
    end = clock.steady + seconds
    while clock.steady < end:
        clock.run(min(moments.delay, end - clock.steady))
        due = moments.look()
        found += [due] if due else []
    return found


def test_each_moment_of_cron_comes_once_and_on_time() -> None:
    clock = FakeClock(NOON - 1)
    found = look_often(Moments(timer_plan(), clock.clock), clock, 150)
    assert found == [Due(NOON + 60 * number, 1, True) for number in range(3)]


def test_the_first_moment_of_an_interval_is_one_interval_after_the_start() -> None:
    clock = FakeClock()
    moments = Moments(timer_plan(every=0.2), clock.clock)
    assert moments.look() is None
    assert moments.next == NOON + 0.2
    assert len(look_often(moments, clock, 10.1)) == 50


def test_a_host_that_was_busy_fires_late_and_not_in_a_burst() -> None:
    clock = FakeClock()
    moments = Moments(timer_plan(every=1.0), clock.clock)
    clock.run(3.5)
    assert moments.look() == Due(NOON + 3, 3, True)
    assert look_often(moments, clock, 1.0) == [Due(NOON + 4, 1, True)]


def test_a_clock_that_is_set_does_not_move_an_interval() -> None:
    clock = FakeClock()
    moments = Moments(timer_plan(every=10.0), clock.clock)
    for jump in (HOUR, -3 * HOUR, 300 * 24 * HOUR):
        clock.set(jump)
        found = look_often(moments, clock, 10.0)
        assert [(due.number, due.on_time) for due in found] == [(1, True)]
        assert found[0].moment == clock.wall


def test_moments_that_a_sleeping_machine_missed_are_counted_and_come_as_one() -> None:
    clock = FakeClock()
    hourly = Moments(timer_plan(cron="0 * * * *"), clock.clock)
    often = Moments(timer_plan(every=10.0), clock.clock)
    clock.run(NIGHT + 600)
    assert hourly.look() == Due(NOON + NIGHT, 8, False)
    assert often.look() == Due(NOON + NIGHT + 600, 2940, True)
    assert (hourly.look(), often.look()) == (None, None)


def test_a_clock_that_is_set_back_a_little_repeats_nothing() -> None:
    clock = FakeClock(NOON - 1)
    moments = Moments(timer_plan(), clock.clock)
    assert len(look_often(moments, clock, 2)) == 1
    clock.set(-30)
    assert [due.moment for due in look_often(moments, clock, 90)] == [NOON + 60]


def test_a_clock_that_is_set_back_far_is_followed_at_once() -> None:
    clock = FakeClock(NOON + 1)
    moments = Moments(timer_plan(), clock.clock)
    clock.set(-NIGHT)
    found = look_often(moments, clock, 121)
    assert [(due.moment, due.on_time) for due in found] == [
        (NOON - NIGHT + 60, True),
        (NOON - NIGHT + 120, True),
    ]


def test_what_an_earlier_life_has_dealt_with_does_not_come_again() -> None:
    clock = FakeClock(NOON + 10)
    assert Moments(timer_plan(), clock.clock, last=NOON).look() is None
    assert Moments(timer_plan(every=600.0), clock.clock, last=NOON - 60).next == NOON + 540


def test_moments_from_before_the_start_are_never_on_time() -> None:
    clock = FakeClock(NOON + 10)
    cron = Moments(timer_plan(), clock.clock, last=NOON - 60)
    interval = Moments(timer_plan(every=60.0), clock.clock, last=NOON - 125)
    assert cron.look() == Due(NOON, 1, False)
    assert interval.look() == Due(NOON - 5, 2, False)
    assert [due.on_time for due in look_often(interval, clock, 60)] == [True]


def test_a_moment_that_was_saved_by_a_wrong_clock_is_no_reason_to_wait() -> None:
    clock = FakeClock(NOON + 1)
    ahead = NOON + 300 * 24 * HOUR
    assert Moments(timer_plan(), clock.clock, last=ahead).next == NOON + 60
    assert Moments(timer_plan(every=60.0), clock.clock, last=ahead).next == NOON + 61


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0.1, 200), st.floats(-2 * HOUR, 2 * HOUR)), max_size=8))
def test_whatever_is_done_to_the_clock_there_is_no_burst_and_no_silence(
    jumps: list[tuple[float, float]],
) -> None:
    clock = FakeClock()
    moments = Moments(timer_plan(), clock.clock)
    for seconds, jump in jumps:
        found = look_often(moments, clock, seconds)
        fired = [due for due in found if due.on_time]
        assert len(fired) <= seconds / 60 + 2
        clock.set(jump)
    assert any(due.on_time for due in look_often(moments, clock, SET_BACK + STEP + 60))
