"""Quotas: what each caller may have in a time and at a time."""

import asyncio
from collections.abc import Coroutine

import pytest

from runtime.dispatch.ticket import Ticket
from runtime.events import Answer, Event, InvocationError, QueueFullError
from runtime.quotas import Allowance, Quotas
from runtime.ratelimit import RateLimitedError


class Under:
    """A dispatch whose answers the test gives; `now` is the clock's time in seconds."""

    def __init__(self, *allowances: Allowance, most: int = 8) -> None:
        self.now = 0.0
        self.futures: list[asyncio.Future[Answer]] = []
        self.tickets: list[Ticket] = []
        self.refuses = False
        self.quotas = Quotas(allowances, lambda: self.now, most)
        self._limited = self.quotas.limit(self._dispatch)

    def _dispatch(self, target: str, event: Event) -> "asyncio.Future[Answer]":
        if self.refuses:
            raise QueueFullError("full")
        self.futures.append(asyncio.get_running_loop().create_future())
        self.tickets.append(Ticket(event, self.futures[-1], 0.0, 1e9))
        return self.futures[-1]

    def send(self, caller: str, trigger: str = "http") -> bool:
        event = Event(b"", trigger=trigger, caller=caller)
        foreseen = self._foresees(event)
        try:
            self._limited("f", event)
            assert foreseen
        except InvocationError as error:
            assert self.refuses or not foreseen
            return bool(error.status != 429 or not error.retry_after)
        return True

    def _foresees(self, event: Event) -> bool:
        try:
            self.quotas.foresee(lambda target, event: None)("f", event)
        except QueueFullError:
            return False
        return True

    async def answer(self, future: "asyncio.Future[Answer]") -> None:
        future.set_result(Answer(b""))
        await asyncio.sleep(0)


def run(scenario: Coroutine[None, None, None]) -> None:
    asyncio.run(scenario)


def test_each_caller_has_a_rate_of_its_own() -> None:
    async def scenario() -> None:
        under = Under(Allowance("line-*", count=2, interval=10.0))
        assert [under.send("line-1") for _ in range(3)] == [True, True, False]
        assert [under.send("line-2") for _ in range(3)] == [True, True, False]
        assert all(under.send("other") for _ in range(5))
        under.now = 5.0
        assert [under.send("line-1") for _ in range(2)] == [True, False]

    run(scenario())


def test_the_first_entry_that_fits_holds() -> None:
    async def scenario() -> None:
        under = Under(Allowance("a", count=1), Allowance("*", count=3))
        assert [under.send("a") for _ in range(2)] == [True, False]
        assert [under.send("b") for _ in range(4)] == [True, True, True, False]

    run(scenario())


def test_so_many_events_are_under_way_at_a_time_whatever_becomes_of_them() -> None:
    async def scenario() -> None:
        under = Under(Allowance("*", concurrency=2))
        assert [under.send("a") for _ in range(3)] == [True, True, False]
        await under.answer(under.futures[0])
        assert [under.send("a") for _ in range(2)] == [True, False]
        under.futures[1].cancel()
        under.futures[2].set_exception(QueueFullError("full"))
        under.futures[2].exception()
        await asyncio.sleep(0)
        assert [under.send("a") for _ in range(3)] == [True, True, False]

    run(scenario())


def test_who_hangs_up_keeps_the_place_of_what_an_instance_has_begun() -> None:
    async def scenario() -> None:
        under = Under(Allowance("*", concurrency=1))
        assert under.send("a")
        under.tickets[0].number = 1
        under.futures[0].cancel()
        await asyncio.sleep(0)
        assert not under.send("a")
        under.tickets[0].end()
        under.tickets[0].end()
        assert [under.send("a") for _ in range(2)] == [True, False]

    run(scenario())


def test_an_ipv6_network_is_one_caller() -> None:
    async def scenario() -> None:
        under = Under(Allowance("2001:db8::a", count=9), Allowance("*", count=2, interval=100.0))
        assert [under.send(f"2001:db8::{number}") for number in range(3)] == [True, True, False]
        assert under.send("2001:db8:0:1::1") and under.send("2001:db8::a") and under.send("::1")

    run(scenario())


def test_what_is_refused_further_on_costs_nothing() -> None:
    async def scenario() -> None:
        under = Under(Allowance("*", count=1, interval=100.0, concurrency=1))
        under.refuses = True
        assert not any(under.send("a") for _ in range(5))
        under.refuses = False
        assert [under.send("a") for _ in range(2)] == [True, False]

    run(scenario())


def test_events_that_name_no_caller_pass() -> None:
    async def scenario() -> None:
        under = Under(Allowance("*", count=1, concurrency=1))
        assert all(under.send("") for _ in range(5))

    run(scenario())


def test_an_event_that_is_kept_for_later_is_charged_as_well() -> None:
    quotas = Quotas([Allowance("*", count=1, interval=100.0)], lambda: 0.0)
    quotas.charge("a")
    with pytest.raises(RateLimitedError):
        quotas.charge("a")


def test_bound_devices_of_mqtt_have_no_quota() -> None:
    async def scenario() -> None:
        under = Under(Allowance("*", count=1, interval=100.0, concurrency=1))
        assert all(under.send("mqtt/r1/d1", trigger="mqtt") for _ in range(5))
        assert [under.send("mqtt/r1/d1") for _ in range(2)] == [True, False]

    run(scenario())


def test_callers_are_bounded_and_who_has_events_under_way_is_remembered() -> None:
    async def scenario() -> None:
        under = Under(Allowance("*", count=100, interval=1.0, concurrency=1), most=8)
        assert under.send("busy")
        for number in range(1000):
            assert under.send(f"c{number}")
            await under.answer(under.futures[-1])
            assert len(under.quotas._young) + len(under.quotas._old) <= 8 + 1
        assert not under.send("busy")
        await under.answer(under.futures[0])
        assert under.send("busy")

    run(scenario())


def test_quotas_that_stay_as_they_are_keep_what_was_used_up() -> None:
    async def scenario() -> None:
        under = Under(Allowance("*", count=1, interval=100.0))
        assert [under.send("a") for _ in range(2)] == [True, False]
        under.quotas.apply([Allowance("*", count=1, interval=100.0)])
        assert not under.send("a")
        under.quotas.apply([Allowance("*", count=2, interval=100.0)])
        assert under.send("a")
        under.quotas.apply([])
        assert all(under.send("a") for _ in range(5))

    run(scenario())
