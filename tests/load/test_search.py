"""Which rates are tried, when a rate counts as held, and what is said of it."""

import pytest

from host.load.run import Findings
from host.load.search import Judged, Search, first_rate, judge, knee_of
from host.load.step import Step
from host.load.verdict import tell_time, verdict


def step(offered: float, **more: object) -> Step:
    """A step of three seconds in which all went well."""
    known = {
        "offered": offered, "events": round(offered * 3), "answered": offered, "p50": 0.004, "p99": 0.012,
        "max": 0.02, "errors": {}, "backlog": 0, "instances": 4, "cpu": 0.1,
    }  # fmt: skip
    return Step(**{**known, **more})  # type: ignore[arg-type]


def tried(search: Search, capacity: float) -> list[float]:
    """The rates that are tried with a function that holds `capacity`."""
    steps: list[Judged] = []
    while (rate := search.next_rate(steps)) is not None:
        steps.append(Judged(step(rate), None if rate <= capacity else "behind"))
    return [each.step.offered for each in steps]


def test_rates_double_until_one_is_too_high_and_then_close_in_on_the_knee() -> None:
    assert tried(Search(10), 45) == [10, 20, 40, 80, 60, 50, 45]
    assert tried(Search(500), 1_700) == [500, 1_000, 2_000, 1_500, 1_800]


def test_when_the_first_rate_is_too_high_lower_ones_are_tried_down_to_one_event_per_second() -> None:
    assert tried(Search(10), 3) == [10, 5, 2.5, 3.8, 3.1, 2.8]
    assert tried(Search(10), 0) == [10, 5, 2.5, 1.25]


def test_given_rates_are_tried_in_order_up_to_the_first_that_is_too_high() -> None:
    assert tried(Search(1, (10, 20, 50, 100)), 20) == [10, 20, 50]
    assert tried(Search(1, (10, 20)), 100) == [10, 20]


@pytest.mark.parametrize(("alone", "first"), [(45, 10), (4_100, 1_000), (3, 1), (0.1, 1), (1e9, 5e6)])
def test_the_first_rate_is_well_below_what_one_caller_gets(alone: float, first: float) -> None:
    assert first_rate(alone) == first


@pytest.mark.parametrize(
    ("more", "trouble"),
    [
        ({}, None),
        ({"answered": 96.0}, None),
        ({"answered": 90.0}, "behind"),
        ({"p99": 0.2}, "late"),
        ({"errors": {"429": 3}}, None),
        ({"errors": {"429": 2, "no answer": 2}}, "errors"),
    ],
)
def test_a_rate_is_held_when_it_is_answered_in_time_and_without_errors(
    more: dict[str, object], trouble: str | None
) -> None:
    assert judge(step(100, **more), limit=0.1).trouble == trouble


def test_one_late_event_of_a_few_is_forgiven() -> None:
    assert judge(step(2, events=6, answered=5 / 3), limit=1).held
    assert not judge(step(2, events=6, answered=4 / 3), limit=1).held


def test_only_a_rate_that_was_nearly_held_is_doubted() -> None:
    assert judge(step(100, answered=85.0), limit=1).doubtful
    assert not judge(step(100, answered=50.0), limit=1).doubtful
    assert not judge(step(100, errors={"500": 300}), limit=1).doubtful


def test_the_verdict_says_what_is_held_and_how_it_fails() -> None:
    good = Judged(step(800), None)
    bad = Judged(step(1_600, backlog=430, p99=2.1), "behind")
    assert verdict("echo", Findings(steps=[good, bad]), 3) == (
        "echo holds 800 events/s with p99 12 ms on 4 instances; "
        "at 1,600 events/s 430 waited after 3 s and p99 was 2.1 s"
    )
    failing = Judged(step(1_600, errors={"no answer": 1, "429": 99}), "errors")
    assert verdict("echo", Findings(steps=[failing]), 3) == (
        "echo holds none of the rates tried; at 1,600 events/s 100 of 4800 events failed "
        "(429: 99, no answer: 1)"
    )
    assert knee_of([good, bad]) == (800, 1_600)


def test_times_have_as_many_digits_as_are_of_use() -> None:
    assert [tell_time(each) for each in (0.00042, 0.0042, 0.0123, 0.9, 2.13)] == [
        "0.42 ms", "4.2 ms", "12 ms", "900 ms", "2.1 s",
    ]  # fmt: skip
