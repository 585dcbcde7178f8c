"""Rows on disk find whoever works them when the config changes, or become dead letters."""

import asyncio
from pathlib import Path

from tests.brokers import MakeMosquitto
from tests.mqtt.clients import (
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
    backlog,
    held,
    letters_of,
    numbered,
    rest_of,
    store_of,
)
from triggers.delivery.letters import DeadLetters
from triggers.mqtt.plan import Care, MqttPlan
from triggers.store.store import LetterQuery


def test_a_rule_that_changes_goes_on_with_what_waits_on_disk(
    make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=UNLIMITED)
        functions = held()
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        changed = rule_plan(care=Care(order="topic"), pub_topic="out/new")
        with device(broker) as line:
            await line.listen("out/#")
            async with running(plan, functions.dispatch, folder=tmp_path) as trigger:
                await backlog(trigger, line, 300)
                applying = asyncio.create_task(trigger.apply(MqttPlan(plan.brokers, (changed,))))
                await until(lambda: trigger.rows()[0].pre_queue <= 2, "what waits is let go of")
                functions.let_go("echo")
                await applying
                await until(lambda: len(line.heard) == 300, "all are answered")
                assert functions.bodies() == numbered(300) and line.heard[-1].topic == "out/new"
                assert await rest_of(trigger) == ({}, {})

    play(scene())


def test_what_waits_for_a_rule_that_goes_becomes_dead_letters_and_can_be_replayed_when_it_is_back(
    make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=UNLIMITED)
        functions = held()
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        with device(broker) as line:
            await line.listen("out/#")
            async with running(plan, functions.dispatch, folder=tmp_path) as trigger:
                await backlog(trigger, line, 100)
                applying = asyncio.create_task(trigger.apply(MqttPlan(plan.brokers, (rule_plan("r2"),))))
                await until(lambda: trigger.rows()[0].pre_queue <= 1, "what waits is let go of")
                functions.let_go("echo")
                await applying
                await until(lambda: store_of(trigger).letter_count == 99, "the others are dead letters")
                assert await letters_of(trigger) == [("echo", body) for body in numbered(99, 1)]
                await trigger.apply(plan)
                await until(lambda: all_connected(trigger), "the rule is back")
                letters = DeadLetters(store_of(trigger), trigger.wake)
                for letter in (await store_of(trigger).letters(LetterQuery(limit=100)))[::-1]:
                    await letters.replay(letter.seq)
                await until(lambda: len(line.heard) == 100, "all are answered")
                assert line.payloads() == numbered(100)

    play(scene())


def test_what_waits_for_a_function_that_leaves_its_rule_is_finished_or_buried(
    make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("log_type all", *UNLIMITED))
        functions = held(other=echo)
        both = rule_plan(functions=(("other", 0), ("echo", 1)))
        one = rule_plan(functions=(("echo", 0),))
        with device(broker) as line:
            async with running(MqttPlan((broker_plan(broker),), (both,)), functions.dispatch) as trigger:
                line.say_all("in/r1", numbered(10))
                await until(lambda: trigger.state()[0].answered == 10, "one function has answered")
                await trigger.apply(MqttPlan((broker_plan(broker),), (one,)))
                line.say("in/r1", b"last")
                functions.let_go("other")
                await until(lambda: broker.log().count("PUBACK from r1-in") == 11, "all are acknowledged")
                assert trigger.state()[0].answered == 21 and await letters_of(trigger) == []
                await trigger.apply(MqttPlan((broker_plan(broker),), (both,)))
                line.say("in/r1", b"again")
                await until(lambda: trigger.state()[0].answered == 23, "it is back")

    play(scene())
