"""All timers of a host: over a restart, over another config, over a replay of dead letters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from runtime.events import Answer, Dispatch, Event, FunctionRaisedError
from tests.mqtt.clients import Functions, echo, play, until
from tests.store.open_store import opened
from tests.timers.clocks import NOON, FakeClock, timer_plan
from tests.timers.stages import parts_of, reasons, rows
from triggers.delivery.letters import Choice, DeadLetters
from triggers.store.changes import AddEvents, SaveMoment
from triggers.store.rows import EventRow
from triggers.store.store import DeliveryStore
from triggers.timers.plan import TimerPlan
from triggers.timers.trigger import TimerTrigger

HOURLY = timer_plan("hourly", cron="0 * * * *")
LONG, SHORT = timer_plan("long", every=3600.0), timer_plan("short", every=1.0)


@asynccontextmanager
async def running(
    store: DeliveryStore, dispatch: Dispatch, clock: FakeClock, *plans: TimerPlan
) -> AsyncIterator[TimerTrigger]:
    """A started trigger, stopped at the end."""
    trigger = TimerTrigger(plans, parts_of(store, dispatch, clock))
    await trigger.setup()
    await trigger.start()
    try:
        yield trigger
    finally:
        await trigger.stop()


def moments_of(trigger: TimerTrigger) -> dict[str, float]:
    """When each timer is next, in seconds after noon."""
    return {state.name: state.next - NOON for state in trigger.state()}


def test_timers_fire_by_themselves() -> None:
    async def scene() -> None:
        functions, clock = Functions(echo=echo), FakeClock(NOON - 0.01)
        async with opened() as store, running(store, functions.dispatch, clock, HOURLY) as trigger:
            clock.run(0.01)
            await until(lambda: len(functions.events) == 1, "it has fired")
            (state,) = trigger.state()
            assert (state.name, state.schedule) == ("hourly", "0 * * * * UTC")
            assert (state.last, state.next) == (NOON, NOON + 3600)
            assert (state.fired, state.missed, state.skipped, state.failed) == (1, 0, 0, 0)

    play(scene())


@pytest.mark.parametrize("catch_up", [False, True])
def test_moments_missed_while_the_host_was_down_are_made_up_for_by_one_event_or_by_none(
    tmp_path: Path, catch_up: bool
) -> None:
    async def scene() -> None:
        functions, clock = Functions(echo=echo), FakeClock()
        plans = [timer_plan("hourly", cron="0 * * * *", catch_up=catch_up)]
        plans += [timer_plan("long", every=3600.0, catch_up=catch_up)]
        async with opened(tmp_path) as store, running(store, functions.dispatch, clock, *plans):
            pass
        clock.run(3 * 3600 + 100)
        async with opened(tmp_path) as store, running(store, functions.dispatch, clock, *plans) as trigger:
            await until(lambda: all(state.missed for state in trigger.state()), "that is noticed")
            assert [state.missed for state in trigger.state()] == [3 - catch_up] * 2
            # Both go on in their step.
            assert moments_of(trigger) == {"hourly": 4 * 3600, "long": 4 * 3600}
            await until(lambda: len(functions.events) == 2 * catch_up, "one makes up for them")
        async with opened(tmp_path) as store, running(store, functions.dispatch, clock, *plans) as trigger:
            assert moments_of(trigger) == {"hourly": 4 * 3600, "long": 4 * 3600}

    play(scene())


def test_an_event_that_a_crash_left_on_disk_runs_at_the_next_start_whatever_its_moment() -> None:
    async def scene() -> None:
        functions, clock = Functions(echo=echo), FakeClock()
        async with opened() as store:
            row = EventRow(store.next_seq(), "timer/hourly/echo", "id", {"trigger": "timer"}, b"left")
            await store.submit(AddEvents((row,)), SaveMoment("hourly", NOON))
            async with running(store, functions.dispatch, clock, HOURLY):
                await until(lambda: functions.bodies() == [b"left"], "it runs")
                assert functions.events[0][1].id == "id"

    play(scene())


def test_what_waits_for_a_timer_that_is_gone_becomes_dead_letters(tmp_path: Path) -> None:
    async def scene() -> None:
        clock = FakeClock()
        async with opened(tmp_path) as store:
            row = EventRow(store.next_seq(), "timer/gone/echo", "id", {"source": "gone"}, b"left")
            await store.submit(AddEvents((row,)), SaveMoment("gone", NOON))
        async with opened(tmp_path) as store, running(store, Functions().dispatch, clock, HOURLY):
            ((timer, function, _),) = await reasons(store, 1)
            assert (timer, function) == ("gone", "echo")
            assert await rows(store, "timer/gone/echo") == []
            # Were it to come again, nothing would have to be made up for.
            assert (await store.moments())["gone"] == 0

    play(scene())


def test_a_dead_letter_of_a_timer_is_replayed_under_its_id() -> None:
    async def scene() -> None:
        broken = [True]

        def once(event: Event) -> Answer | FunctionRaisedError:
            return FunctionRaisedError("ValueError", "no", []) if broken.pop() else echo(event)

        functions, clock = Functions(echo=once), FakeClock(NOON - 0.01)
        async with opened() as store, running(store, functions.dispatch, clock, HOURLY) as trigger:
            clock.run(0.01)
            await reasons(store, 1)
            broken.append(False)
            done = await DeadLetters(store, trigger.wake).replay_all(Choice(rule="hourly"))
            assert (done.count, done.stranded.total()) == (1, 0)
            await until(lambda: len(functions.events) == 2, "it runs again")
            (_, first), (_, second) = functions.events
            assert first.id == second.id
            await until(lambda: store.letter_count == 0, "no dead letter is left")
            assert not trigger.wake("timer/hourly/other")

    play(scene())


def test_timers_that_stay_keep_their_moments_in_another_config() -> None:
    async def scene() -> None:
        functions, clock = Functions(echo=echo, other=echo), FakeClock()
        async with (
            opened() as store,
            running(store, functions.dispatch, clock, HOURLY, LONG, SHORT) as trigger,
        ):
            clock.run(600)
            changed = timer_plan("long", every=3600.0, payload=b"go", content_type=None)
            slower = timer_plan("short", every=20.0)
            plans = (slower, changed, timer_plan("new", every=600.0))
            await trigger.retire(plans)
            assert list(moments_of(trigger)) == []
            await trigger.apply(plans)
            assert moments_of(trigger) == {"short": 620, "long": 3600, "new": 1200}
            await store.submit()
            assert await store.moments() == {
                "hourly": 0,
                "long": NOON,
                "short": NOON + 600,
                "new": NOON + 600,
            }

    play(scene())


def test_a_timer_that_does_not_change_goes_on_with_what_it_runs() -> None:
    async def scene() -> None:
        functions, clock = Functions(echo=echo), FakeClock(NOON - 0.01)
        functions.held.add("echo")
        async with opened() as store, running(store, functions.dispatch, clock, HOURLY) as trigger:
            clock.run(0.01)
            await until(lambda: len(functions.events) == 1, "it runs")
            await trigger.apply((LONG, HOURLY))
            assert [(state.name, state.fired) for state in trigger.state()] == [("long", 0), ("hourly", 1)]
            functions.let_go("echo")

    play(scene())


def test_what_waits_for_a_timer_that_leaves_becomes_dead_letters_or_its_successors() -> None:
    async def scene() -> None:
        functions, clock = Functions(echo=echo), FakeClock()
        functions.held.add("echo")
        async with opened() as store, running(store, functions.dispatch, clock) as trigger:
            for name in ("gone", "changed"):
                row = EventRow(
                    store.next_seq(), f"timer/{name}/echo", name, {"source": name}, b"left", due=4e9
                )
                await store.submit(AddEvents((row,)))
            await trigger.apply((timer_plan("gone"), timer_plan("changed")))
            await trigger.apply((timer_plan("changed", payload=b"new"),))
            assert [timer for timer, _, _ in await reasons(store, 1)] == ["gone"]
            assert await rows(store, "timer/changed/echo") == [b"left"]

    play(scene())


def test_a_timer_that_leaves_is_waited_for() -> None:
    async def scene() -> None:
        functions, clock = Functions(echo=echo), FakeClock(NOON - 0.01)
        functions.held.add("echo")
        async with opened() as store, running(store, functions.dispatch, clock, HOURLY) as trigger:
            clock.run(0.01)
            await until(lambda: len(functions.events) == 1, "it runs")
            leaving = asyncio.create_task(trigger.retire(()))
            await until(lambda: not trigger.state(), "it leaves")
            assert not leaving.done()
            functions.let_go("echo")
            await leaving
            assert await rows(store, "timer/hourly/echo") == []

    play(scene())
