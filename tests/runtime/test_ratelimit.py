"""Rate limits: the token bucket on a clock of our own, and the dispatch that it guards."""

import asyncio
from typing import cast

import pytest

from runtime.events import Answer, Dispatch, Event, QueueFullError
from runtime.ratelimit import RateLimit, RateLimitedError, limit_dispatch


class Clock:
    """Time that passes when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_in_six_seconds_is_one_at_once_and_the_next_six_seconds_later(clock: Clock) -> None:
    limit = RateLimit(1, 6.0, clock)
    assert limit.take() == 0
    assert limit.take() == 6.0
    clock.now += 4
    assert limit.take() == 2.0
    clock.now += 2
    assert [limit.take(), limit.take()] == [0, 6.0]


def test_a_count_goes_through_at_once_and_comes_back_evenly(clock: Clock) -> None:
    limit = RateLimit(4, 8.0, clock)
    assert [limit.take() for _ in range(5)] == [0, 0, 0, 0, 2.0]
    clock.now += 2
    assert [limit.take(), limit.take()] == [0, 2.0]


def test_what_was_not_used_for_long_is_not_saved_beyond_the_count(clock: Clock) -> None:
    limit = RateLimit(2, 2.0, clock)
    limit.take()
    clock.now += 1000
    assert [limit.take() for _ in range(3)] == [0, 0, 1.0]


def test_over_a_long_time_no_more_goes_through_than_allowed(clock: Clock) -> None:
    limit = RateLimit(5, 1.0, clock)
    through = 0
    for _ in range(1000):
        through += limit.take() == 0
        clock.now += 0.0625
    assert through == 5 + 62 * 5 + 2  # in 62.4 s


def test_what_was_given_back_can_be_taken_again(clock: Clock) -> None:
    limit = RateLimit(1, 6.0, clock)
    limit.take()
    limit.give_back()
    assert [limit.take(), limit.take()] == [0, 6.0]


@pytest.mark.parametrize(("count", "interval"), [(0, 1.0), (1, 0.0), (1, -1.0), (1, float("nan"))])
def test_a_limit_that_lets_nothing_through_is_refused(count: int, interval: float) -> None:
    with pytest.raises(ValueError):
        RateLimit(count, interval)


def test_waiting_takes_a_token_for_each_who_waits() -> None:
    async def scene() -> None:
        limit = RateLimit(2, 0.02)
        await asyncio.gather(*(limit.wait() for _ in range(6)))
        assert limit.take() > 0

    asyncio.run(scene())


class Dispatched:
    """A dispatch that notes its targets, and is full as long as told."""

    def __init__(self) -> None:
        self.targets: list[str] = []
        self.full = False
        self._never = cast("asyncio.Future[Answer]", None)  # nobody looks at the answers

    def __call__(self, target: str, event: Event) -> "asyncio.Future[Answer]":
        if self.full:
            raise QueueFullError("full")
        self.targets.append(target)
        return self._never


def refused(dispatch: Dispatch, target: str) -> RateLimitedError:
    with pytest.raises(RateLimitedError) as caught:
        dispatch(target, Event(b""))
    return caught.value


def test_a_function_beyond_its_rate_is_refused_with_the_seconds_to_wait(clock: Clock) -> None:
    dispatched = Dispatched()
    limited = limit_dispatch(dispatched, {"industry": RateLimit(1, 6.0, clock)})
    limited("industry", Event(b""))
    clock.now += 0.5
    error = refused(limited, "industry")
    assert (error.status, error.retry_after) == (429, 6.0)
    assert "industry" in str(error)
    assert dispatched.targets == ["industry"]


def test_a_limit_holds_for_all_revisions_and_aliases_of_its_function_together(clock: Clock) -> None:
    dispatched = Dispatched()
    limited = limit_dispatch(dispatched, {"é": RateLimit(2, 6.0, clock)})
    limited("e\u0301@1", Event(b""))
    limited("é@live", Event(b""))
    refused(limited, "é")
    refused(limited, "e\u0301")


def test_functions_without_a_rate_are_not_limited(clock: Clock) -> None:
    dispatched = Dispatched()
    limited = limit_dispatch(dispatched, {"industry": RateLimit(1, 6.0, clock)})
    for _ in range(5):
        limited("test", Event(b""))
    assert len(dispatched.targets) == 5


def test_an_event_that_is_refused_at_once_costs_nothing(clock: Clock) -> None:
    dispatched = Dispatched()
    limited = limit_dispatch(dispatched, {"industry": RateLimit(1, 6.0, clock)})
    dispatched.full = True
    for _ in range(3):
        with pytest.raises(QueueFullError, match="full"):
            limited("industry", Event(b""))
    dispatched.full = False
    limited("industry", Event(b""))
    refused(limited, "industry")
