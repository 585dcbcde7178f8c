"""Events and results on their way through the trigger and a real broker: each is answered, or kept."""

import asyncio
import json
from pathlib import Path

import pytest

from runtime.events import Answer, Event, FunctionRaisedError
from tests.brokers import MakeMosquitto, Mosquitto
from tests.delivery.lanes import Punctual
from tests.mqtt.clients import (
    Functions,
    all_connected,
    broker_plan,
    device,
    echo,
    play,
    rule_plan,
    running,
    until,
)
from tests.mqtt.keeping import (
    UNLIMITED,
    answered,
    letters_of,
    numbered,
    raised,
    rest_of,
    store_of,
)
from triggers.delivery.letters import DeadLetters
from triggers.mqtt import flow
from triggers.mqtt.plan import Care, Dedupe, MqttPlan
from triggers.store.store import LetterQuery, StoreLimits


def test_in_the_steady_state_nothing_is_written(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What waits for a busy machine is old there already, and makes room.
    monkeypatch.setattr(flow, "OLD", 60.0)

    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        with device(mosquitto) as line:
            await line.listen("out/r1", 0)
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                for start in range(0, 2000, 250):
                    await asyncio.to_thread(line.say_all, "in/r1", numbered(250, start))
                    await answered(trigger, start + 250)
                await until(lambda: len(line.heard) == 2000, "all are heard")
                assert store_of(trigger).commits == 0 and line.payloads() == numbered(2000)

    play(scene())


def test_an_event_of_several_functions_is_acknowledged_once_all_are_settled(
    make_mosquitto: MakeMosquitto,
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("log_type all",))
        functions = Functions(echo=echo, bad=raised, quiet=lambda _: Answer(None))
        functions.held.add("echo")
        rule = rule_plan(functions=(("echo", 0), ("bad", 1), ("quiet", 2)))
        with device(broker) as line:
            await line.listen("out/r1")
            async with running(MqttPlan((broker_plan(broker),), (rule,)), functions.dispatch) as trigger:
                line.say("in/r1", b"1")
                await until(lambda: trigger.state()[0].failed == 1, "one has failed")
                assert await letters_of(trigger) == [("bad", b"1")]
                await until(lambda: trigger.state()[0].answered == 1, "one returned nothing")
                assert "PUBACK from r1-in" not in broker.log()
                functions.let_go("echo")
                await until(lambda: "PUBACK from r1-in" in broker.log(), "it is acknowledged")
                assert line.payloads() == [b"1"] and trigger.state()[0].answered == 2

    play(scene())


class Stumbling:
    """Fails now and then; keeps the order in which events of a device were answered."""

    def __init__(self) -> None:
        self.failed: set[bytes] = set()
        self.dispatch = Functions(echo=self.run).dispatch

    def run(self, event: Event) -> Answer | FunctionRaisedError:
        number = json.loads(event.body)["n"]
        if number % 7 == 3 and event.body not in self.failed:
            self.failed.add(event.body)
            return raised(event)
        return echo(event)


def readings(count: int, devices: int = 4, first: int = 0) -> list[bytes]:
    return [
        json.dumps({"deviceInfo": {"deviceName": f"d{n % devices}"}, "n": n}).encode()
        for n in range(first, first + count)
    ]


def assert_in_order(heard: list[bytes], count: int, devices: int = 4) -> None:
    """Of each device, every reading, and the first time each is heard they are in order."""
    for which in range(devices):
        numbers = [number for each in heard if (number := json.loads(each)["n"]) % devices == which]
        assert list(dict.fromkeys(numbers)) == list(range(which, count, devices))


@pytest.mark.parametrize("delay", [0.01, 1.2])
def test_order_is_kept_over_retries_reconnects_and_restarts(
    make_mosquitto: MakeMosquitto, tmp_path: Path, delay: float
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(persistence=True, settings=UNLIMITED)
        care = Care(retries=(Punctual(5, delay),), order="device")
        plan, function = MqttPlan((broker_plan(broker),), (rule_plan(care=care),)), Stumbling()
        with device(broker, client_id="listener") as listening, device(broker) as sending:
            await listening.listen("out/r1")
            async with running(plan, function.dispatch, folder=tmp_path) as trigger:
                sending.say_all("in/r1", readings(100))
                await until(lambda: len(listening.heard) > 10, "it flows")
                await asyncio.to_thread(broker.stop)
                await until(lambda: not all_connected(trigger), "the loss is noticed")
                await asyncio.to_thread(broker.start)
                await until(lambda: all_connected(trigger), "the trigger is back")
                with device(broker) as after:
                    after.say_all("in/r1", readings(40, first=100))
            async with running(plan, function.dispatch, folder=tmp_path) as trigger:
                with device(broker) as after:
                    after.say_all("in/r1", readings(20, first=140))
                await until(lambda: len(set(listening.payloads())) == 160, "all are answered")
                assert_in_order(listening.payloads(), 160)
                await until(lambda: trigger.rows()[0].post_queue == 0, "all are confirmed")
                assert await rest_of(trigger) == ({}, {}) and await letters_of(trigger) == []

    play(scene())


def test_events_with_one_key_are_one_event_also_after_a_restart(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        care = Care(dedupe=Dedupe("id", 600))
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(care=care),))
        with device(mosquitto) as line:
            async with running(plan, functions.dispatch, folder=tmp_path) as trigger:
                line.say_all(
                    "in/r1", [b'{"id": 1, "a": 1}', b'{"id": 2}', b'{"id": 1, "a": 2}', b"{}", b"{}"]
                )
                await until(lambda: trigger.state()[0].answered == 4, "they are answered")
                assert trigger.state()[0].repeated == 1
                # A rule that changes is built anew, and keeps in mind what it has seen.
                changed = rule_plan(care=Care(dedupe=Dedupe("id", 600), order="topic"))
                await trigger.apply(MqttPlan(plan.brokers, (changed,)))
                await until(lambda: all_connected(trigger), "it is back")
                line.say("in/r1", b'{"id": 2, "a": 2}')
                await until(lambda: trigger.state()[0].repeated == 1, "it is known")
            async with running(plan, functions.dispatch, folder=tmp_path) as trigger:
                line.say_all("in/r1", [b'{"id": 1, "a": 3}', b'{"id": 3}'])
                await until(lambda: trigger.state()[0].received == 2, "they have come")
                await until(lambda: trigger.state()[0].answered == 1, "one is new")
                assert trigger.state()[0].repeated == 1
        assert len(functions.events) == 5

    play(scene())


def test_old_readings_and_those_that_gave_way_are_counted_and_acknowledged(
    make_mosquitto: MakeMosquitto,
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("log_type all",))
        functions = Functions(echo=echo)
        functions.held.add("echo")
        rules = rule_plan("r1", care=Care(latest=True)), rule_plan("r2", care=Care(max_age=0.2))
        with device(broker) as line:
            async with running(MqttPlan((broker_plan(broker),), rules), functions.dispatch) as trigger:
                line.say_all("in/r1", readings(40))
                line.say_all("in/r2", readings(5))
                await until(lambda: trigger.state()[0].superseded == 35, "the older ones gave way")
                began = asyncio.get_running_loop().time()
                await until(lambda: asyncio.get_running_loop().time() > began + 0.3, "they are old")
                functions.let_go("echo")
                await until(lambda: trigger.state()[1].expired == 4, "the old ones are dropped")
                await until(lambda: trigger.state()[0].answered == 5, "the newest are answered")
                await until(lambda: broker.log().count("PUBACK from r") == 45, "all are acknowledged")

    play(scene())


def test_while_the_target_is_away_events_are_acknowledged_and_results_kept_in_order(
    make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    async def scene() -> None:
        here = make_mosquitto()
        there = make_mosquitto(persistence=True, settings=UNLIMITED)
        plan = MqttPlan((broker_plan(here), broker_plan(there, "b2")), (rule_plan(pub_broker="b2"),))
        with device(here) as sending, device(there, client_id="listener") as listening:
            await listening.listen("out/r1")
            async with running(plan, Functions(echo=echo).dispatch, folder=tmp_path) as trigger:
                await asyncio.to_thread(there.stop)
                for start in range(0, 1500, 250):
                    await asyncio.to_thread(sending.say_all, "in/r1", numbered(250, start))
                    await answered(trigger, start + 250)
                assert (await rest_of(trigger))[1] == {"b2/r1-out": 1500}
                await asyncio.to_thread(there.start)
                await until(lambda: len(listening.heard) >= 1500, "all are there")
                assert listening.payloads() == numbered(1500)
                await until(lambda: trigger.state()[1].waiting == 0, "all are confirmed")
                assert await rest_of(trigger) == ({}, {})

    play(scene())


def test_a_full_store_acknowledges_nothing_more_and_recovers_by_itself(
    make_mosquitto: MakeMosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        here, there = make_mosquitto(settings=UNLIMITED), make_mosquitto(settings=UNLIMITED)
        plan = MqttPlan((broker_plan(here), broker_plan(there, "b2")), (rule_plan(pub_broker="b2"),))
        with device(here) as sending:
            async with running(plan, Functions(echo=echo).dispatch, folder=tmp_path) as trigger:
                await asyncio.to_thread(there.stop)
                await until(lambda: not trigger.state()[1].connected, "the target is away")
                store = store_of(trigger)
                monkeypatch.setattr(store._quota, "limits", StoreLimits(quota=5_000_000, min_free=0))
                payloads = [b"%04d" % n * 6000 for n in range(300)]
                await asyncio.to_thread(sending.say_all, "in/r1", payloads)
                await until(lambda: not store.takes_in, "the store is full")
                await until(lambda: trigger.rows()[0].post_queue > 100, "results wait in memory")
                await until(lambda: trigger.state()[0].answered > 0, "some results stand on disk")
                await store.submit()
                assert trigger.state()[0].answered < 250 and "takes nothing new" in store.why_not
                await asyncio.to_thread(there.start)
                await until(lambda: trigger.state()[0].answered == 300, "all are settled")
                await until(lambda: store.takes_in, "there is room again")
                await until(lambda: trigger.state()[1].published == 300, "all are confirmed")
                assert await rest_of(trigger) == ({}, {})

    play(scene())


def test_a_replay_under_traffic_is_answered(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        fails = True
        functions._functions["echo"] = lambda event: (
            raised(event) if fails and event.body == b"x" else echo(event)
        )
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        with device(mosquitto) as line:
            await line.listen("out/#")
            async with running(plan, functions.dispatch) as trigger:
                line.say("in/r1", b"x")
                await until(lambda: store_of(trigger).letter_count == 1, "it is a dead letter")
                fails = False
                load = asyncio.create_task(asyncio.to_thread(line.say_all, "in/r1", numbered(1500)))
                await until(lambda: len(line.heard) > 100, "the load flows")
                (letter,) = await store_of(trigger).letters(LetterQuery())
                await DeadLetters(store_of(trigger), trigger.wake).replay(letter.seq)
                await load
                await until(lambda: len(line.heard) == 1501, "all are answered")
                assert b"x" in line.payloads() and functions.bodies().count(b"x") == 2

    play(scene())
