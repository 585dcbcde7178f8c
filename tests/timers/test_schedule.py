"""The moments of intervals and of cron, over days on which clocks are set."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from triggers.timers.schedule import MOST_COUNTED, Cron, Every, Passed

MINUTE, DAY = 60, 86_400
# Noon of a day before the clocks are set: forward, back, by half an hour, at midnight, by a whole day.
EVES = {
    "Europe/Berlin": [(2024, 3, 30), (2024, 10, 26)],
    "America/New_York": [(2024, 3, 9), (2024, 11, 2)],
    "Australia/Lord_Howe": [(2024, 4, 6), (2024, 10, 5)],
    "America/Sao_Paulo": [(2018, 2, 17), (2018, 11, 3)],
    "Pacific/Apia": [(2011, 12, 28)],
    "Asia/Shanghai": [(2024, 6, 1)],
}
PLACES = [(zone, eve) for zone, eves in EVES.items() for eve in eves]


def noon(zone: str, day: tuple[int, int, int]) -> float:
    return datetime(*day, 12, tzinfo=ZoneInfo(zone)).timestamp()


def moments(schedule: Cron | Every, start: float, end: float) -> Iterator[float]:
    """What `after` says, step by step."""
    while (start := schedule.after(start)) < end:
        yield start


def minutes(zone: str, start: float, end: float, minute: set[int], hour: set[int]) -> Iterator[float]:
    """The moments of a line of cron, by looking at the clock each minute."""
    place = ZoneInfo(zone)
    clock = datetime.fromtimestamp(start, place).replace(tzinfo=None)
    for moment in range(int(start) + MINUTE, int(end), MINUTE):
        before, shown = clock, datetime.fromtimestamp(moment, place)
        clock = shown.replace(tzinfo=None)
        left_out = range(MINUTE, int((clock - before).total_seconds()), MINUTE)
        named = [clock, *(before + timedelta(seconds=seconds) for seconds in left_out)]
        every_hour = len(hour) == 24
        # Whoever goes by every hour misses none when one is left out, and may have one twice.
        named = named[:1] if every_hour else named
        once = every_hour or not shown.fold
        if once and any(each.minute in minute and each.hour in hour for each in named):
            yield float(moment)


@settings(deadline=None, max_examples=30)
@given(
    # Where clocks are set by half an hour, croniter 7.0 leaves out the moment at which they are set back.
    place=st.sampled_from([place for place in PLACES if "Lord_Howe" not in place[0]]),
    minute=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    hour=st.sets(st.sampled_from([0, 1, 2, 3, 13]), min_size=1) | st.just(set(range(24))),
)
@example(place=PLACES[0], minute={30}, hour={2})
@example(place=PLACES[1], minute={30}, hour={2})
@example(place=PLACES[1], minute={0, 30}, hour=set(range(24)))
def test_cron_names_what_clocks_show_each_moment_once(
    place: tuple[str, tuple[int, int, int]], minute: set[int], hour: set[int]
) -> None:
    zone, eve = place
    start = noon(zone, eve)
    end = start + 2 * DAY
    line = f"{','.join(map(str, sorted(minute)))} {','.join(map(str, sorted(hour)))} * * *"
    found = list(moments(Cron(line, zone), start, end))
    assert found == list(minutes(zone, start, end, minute, hour))
    last = found[-1] if found else start
    assert Cron(line, zone).passed(start, end - 1) == Passed(last, len(found))


def test_an_hour_that_is_left_out_or_comes_twice_costs_a_report_neither_a_day_nor_a_repeat() -> None:
    report = Cron("30 2 * * *", "Europe/Berlin")
    for eve, shown in (((2024, 3, 30), "03:00:00+02:00"), ((2024, 10, 26), "02:30:00+02:00")):
        first, second = islice(moments(report, noon("Europe/Berlin", eve), 2e9), 2)
        assert datetime.fromtimestamp(first, ZoneInfo("Europe/Berlin")).isoformat().endswith(shown)
        assert second - first > 23 * 3600


def test_weekdays_are_those_of_the_time_zone() -> None:
    monday = Cron("0 6 * * mon", "Asia/Shanghai").after(noon("UTC", (2024, 6, 1)))
    assert datetime.fromtimestamp(monday, ZoneInfo("UTC")).isoformat() == "2024-06-02T22:00:00+00:00"


def test_over_many_years_moments_are_not_counted_to_the_end() -> None:
    now = noon("Europe/Berlin", (2024, 6, 1)) + 7.5
    assert Cron("*/5 * * * *", "Europe/Berlin").passed(0.0, now) == Passed(now - 7.5, MOST_COUNTED)


@pytest.mark.parametrize("line", ["0 0 29 2 *", "0 0 31 12 *"])
def test_what_comes_seldom_comes(line: str) -> None:
    first, second = islice(moments(Cron(line, "UTC"), noon("UTC", (2024, 6, 1)), 5e9), 2)
    assert second - first >= 365 * DAY


@given(
    anchor=st.floats(0, 1e7),
    period=st.floats(0.1, 1e5),
    start=st.floats(-1e3, 1e3),
    steps=st.integers(2, 50),
)
@example(anchor=0.0, period=0.1, start=0.0, steps=50)
def test_an_interval_never_drifts_and_no_moment_comes_twice(
    anchor: float, period: float, start: float, steps: int
) -> None:
    every = Every(anchor, period)
    begin = anchor + start * period
    found = list(islice(moments(every, begin, float("inf")), steps))
    assert begin < found[0] <= begin + period * 1.001
    for earlier, later in pairwise(found):
        assert later - earlier == pytest.approx(period, rel=1e-6, abs=1e-7)
    number = round((found[0] - anchor) / period)
    assert found == [anchor + (number + step) * period for step in range(steps)]
    assert every.passed(begin, found[-1]) == Passed(found[-1], steps)
    assert every.passed(found[0], found[0]) == Passed(found[0], 0)
