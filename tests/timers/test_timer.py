"""One timer at work: its events, by way of the disk and of the memory, and how they end."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.events import Answer, Event, FunctionRaisedError, Publication
from tests.mqtt.clients import DEADLINE, Functions, echo, play, until
from tests.store.open_store import opened
from tests.store.stores import opened as opened_within
from tests.timers.clocks import NOON, FakeClock, timer_plan
from tests.timers.stages import parts_of, reasons, rows
from triggers.store.quota import StoreLimits
from triggers.store.store import DeliveryStore
from triggers.timers.moments import Moments
from triggers.timers.timer import Timer

LANE = "timer/t/echo"


class Stage:
    """One timer over a store; it looks at the clock when it is told to."""

    def __init__(self, store: DeliveryStore, host: Functions, **plan: Any) -> None:
        self.store = store
        self.clock = FakeClock()
        self.plan = timer_plan(**plan)
        moments = Moments(self.plan, self.clock.clock)
        self.timer = Timer(self.plan, moments, parts_of(store, host.dispatch, self.clock))

    def pass_(self, seconds: float) -> None:
        """Let time pass, and the timer look."""
        self.clock.run(seconds)
        self.timer.look()

    async def settle(self) -> None:
        """Wait until nothing waits in memory or on disk."""
        async with asyncio.timeout(DEADLINE):
            while self.works or await rows(self.store, LANE):  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    @property
    def works(self) -> bool:
        """Whether something waits in memory."""
        return any(lane.events or lane.busy for lane in self.timer.lanes)


@asynccontextmanager
async def staged(host: Functions, **plan: Any) -> AsyncIterator[Stage]:
    async with opened() as store:
        stage = Stage(store, host, **plan)
        yield stage
        stage.timer.stop()


def raising(event: Event) -> FunctionRaisedError:
    return FunctionRaisedError("ValueError", "no good", [])


def publishing(event: Event) -> Answer:
    return Answer(None, publications=(Publication("out/x", b"1"),))


def test_each_moment_is_one_event_for_each_function() -> None:
    async def scene() -> None:
        functions = Functions(echo=echo, other=echo)
        async with staged(functions, functions=("echo", "other"), timezone="Asia/Shanghai") as stage:
            stage.pass_(60)
            await until(lambda: len(functions.events) == 2, "both functions have it")
            assert {name for name, _ in functions.events} == {"echo", "other"}
            first, second = (event for _, event in functions.events)
            assert first.id != second.id
            for event in (first, second):
                shown = "2024-06-01T20:01:00.000+08:00"
                assert (event.trigger, event.source, event.received) == ("timer", "t", NOON + 60)
                assert event.meta == {"timer": "t", "scheduled": shown}
                assert json.loads(event.body) == {"timer": "t", "time": shown}
                assert event.content_type == "application/json"
            await stage.settle()
            assert (stage.timer.fired, stage.timer.last) == (1, NOON + 60)

    play(scene())


def test_a_payload_travels_as_it_was_planned() -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with staged(functions, every=0.5, payload=b"go", content_type=None) as stage:
            stage.pass_(0.5)
            (_, event), *more = functions.events
            assert (event.body, event.content_type, more) == (b"go", None, [])

    play(scene())


@pytest.mark.parametrize("when", [{}, {"every": 10.0}])
def test_an_event_is_on_disk_with_its_moment_before_it_runs(when: dict[str, Any]) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        functions.held.add("echo")
        async with staged(functions, payload=b"go", **when) as stage:
            stage.pass_(60)
            assert functions.events == []
            await until(lambda: bool(functions.events), "it runs")
            assert await rows(stage.store, LANE) == [b"go"]
            assert await stage.store.moments() == {"t": NOON + 60}
            functions.let_go("echo")
            await stage.settle()

    play(scene())


def test_short_intervals_write_nothing() -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with staged(functions, every=9.0) as stage:
            for _ in range(5):
                stage.pass_(9)
                await until(lambda: not stage.works, "it is answered")
            assert len(functions.events) == 5
            assert (await stage.store.moments(), stage.store.commits) == ({}, 0)

    play(scene())


def test_a_short_interval_waits_for_the_event_before_and_says_what_it_skips(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        functions = Functions(slow=echo, quick=echo)
        functions.held.add("slow")
        async with staged(functions, every=1.0, functions=("slow", "quick")) as stage:
            for _ in range(4):
                stage.pass_(1)
                await until(lambda: not stage.timer.lanes[1].events, "the quick one has answered")
            assert [name for name, _ in functions.events].count("quick") == 4
            assert (stage.timer.fired, stage.timer.skipped) == (4, 3)
            functions.let_go("slow")
            await stage.settle()
            stage.pass_(1)
            assert stage.timer.skipped == 3

    with caplog.at_level(logging.WARNING):
        play(scene())
    assert [record.getMessage() for record in caplog.records] == [
        "timer t: an event for slow is skipped, since the one before it still waits (1 so far)"
    ]


def test_events_that_are_on_disk_wait_for_a_function_that_is_slow() -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        functions.held.add("echo")
        async with staged(functions, payload=b"go") as stage:
            for _ in range(3):
                stage.pass_(60)
            await until(lambda: bool(functions.events), "the first one runs")
            assert await rows(stage.store, LANE) == [b"go"] * 3
            functions.let_go("echo")
            await stage.settle()
            assert len(functions.events) == 3

    play(scene())


def test_missed_moments_are_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with staged(functions, cron="0 * * * *") as stage:
            stage.pass_(8 * 3600 + 600)
            assert (stage.timer.fired, stage.timer.missed) == (0, 8)
            # A restart is not to count them again.
            await stage.store.submit()
            assert await stage.store.moments() == {"t": NOON + 8 * 3600}
            stage.pass_(3000)
            await until(lambda: bool(functions.events), "the next one comes")
            assert (stage.timer.fired, stage.timer.missed) == (1, 8)

    with caplog.at_level(logging.WARNING):
        play(scene())
    assert "8 moments were missed" in caplog.text


def test_one_missed_moment_is_told_as_one(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        async with staged(Functions(echo=echo), cron="0 * * * *") as stage:
            stage.pass_(3600 + 600)

    with caplog.at_level(logging.WARNING):
        play(scene())
    assert "1 moment was missed, since" in caplog.text


def test_one_event_makes_up_for_missed_moments_where_that_is_asked_for() -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with staged(functions, cron="0 * * * *", catch_up=True) as stage:
            stage.pass_(8 * 3600 + 600)
            await stage.settle()
            (_, event) = functions.events[0]
            assert event.meta == {"timer": "t", "scheduled": "2024-06-01T20:00:00.000+00:00"}
            assert (len(functions.events), stage.timer.fired, stage.timer.missed) == (1, 1, 7)

    play(scene())


def test_a_disk_that_takes_nothing_keeps_no_function_waiting(tmp_path: Path) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with opened_within(tmp_path / "delivery.db", StoreLimits(quota=0, min_free=0)) as store:
            stage = Stage(store, functions)
            stage.pass_(60)
            await until(lambda: len(functions.events) == 1, "it runs")
            assert (await store.waiting())[0] == {}
            stage.timer.stop()

    play(scene())


def test_a_moment_that_came_while_the_disk_took_nothing_does_not_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with staged(functions) as stage:
            with monkeypatch.context() as full:
                full.setattr(DeliveryStore, "takes_in", property(lambda _: False))
                stage.pass_(60)
                await until(lambda: len(functions.events) == 1, "it runs")
            await stage.store.submit()
            assert await stage.store.moments() == {"t": stage.timer.last}

    play(scene())


def test_an_error_of_ours_does_not_end_a_timer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with staged(functions, every=60.0) as stage:
            monkeypatch.setattr(Moments, "delay", 0.001)
            with monkeypatch.context() as wrong:
                wrong.setattr(Moments, "look", lambda _: 1 / 0)
                stage.timer.begin()
                await until(lambda: len(caplog.records) > 1, "it looks again")
            assert caplog.messages[0] == "timer t: an error of ours, and it goes on"
            stage.clock.run(60)
            await until(lambda: len(functions.events) == 1, "it fires")

    play(scene())


def test_an_event_that_fails_is_a_dead_letter_of_its_timer(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        functions = Functions(echo=raising, other=raising)
        for seconds, when in ((60, {}), (1, {"every": 1.0})):
            async with staged(functions, **when) as stage:
                stage.pass_(seconds)
                assert await reasons(stage.store, 1) == [("t", "echo", "no good")]
                await stage.settle()
                assert stage.timer.failed == 1

    with caplog.at_level(logging.WARNING):
        play(scene())
    assert all(record.getMessage().startswith("timer t: event ") for record in caplog.records)
    assert len(caplog.records) == 2


def test_a_function_that_publishes_without_a_target_is_told_what_is_missing() -> None:
    async def scene() -> None:
        async with staged(Functions(echo=publishing), every=1.0) as stage:
            stage.pass_(1)
            ((_, _, message),) = await reasons(stage.store, 1)
            assert message == (
                "echo publishes to 'out/x', and the timer t has no `pub` that says through which broker"
            )

    play(scene())


def test_a_timer_that_is_stopped_leaves_what_is_on_disk_to_the_next_life() -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        functions.held.add("echo")
        async with staged(functions, payload=b"go") as stage:
            stage.pass_(60)
            await until(lambda: bool(functions.events), "it runs")
            stage.timer.stop()
            assert stage.timer.busy
            functions.cancel("echo")
            await until(lambda: not stage.timer.busy, "nothing runs")
            assert await rows(stage.store, LANE) == [b"go"]

    play(scene())
