"""Going over to another plan while events flow: what stays does not notice, what goes leaves nothing."""

import asyncio

import pytest

from runtime.events import Answer, Event
from tests.brokers import MakeMosquitto, Mosquitto
from tests.mqtt.clients import (
    Device,
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
from triggers.mqtt.plan import MqttPlan
from triggers.mqtt.trigger import MqttTrigger


def shout(event: Event) -> Answer:
    return Answer(event.body.upper(), revision="shout@1")


async def flow(line: Device, stop: asyncio.Event) -> int:
    """Say numbered events of QoS 0 on in/r1 until told to stop; returns how many."""
    count = 0
    while not stop.is_set():
        line.say("in/r1", b"%d" % count, qos=0)
        count += 1
        await asyncio.sleep(0.001)
    return count


def test_a_rule_that_stays_drops_no_event_while_others_come_and_go(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        brokers = (broker_plan(mosquitto),)
        functions = Functions(echo=echo, shout=shout)
        with device(mosquitto) as line:
            await line.listen("out/#")
            async with running(MqttPlan(brokers, (rule_plan(),)), functions.dispatch) as trigger:
                stop = asyncio.Event()
                flowing = asyncio.ensure_future(flow(line, stop))
                for rules in (
                    (rule_plan(), rule_plan("r2")),
                    (rule_plan("r3"), rule_plan(timeout=3.0)),
                    (rule_plan(functions=(("echo", 0), ("shout", 1))), rule_plan("r2")),
                    (rule_plan(),),
                ):
                    await trigger.apply(MqttPlan(brokers, rules))
                    await until(lambda: all_connected(trigger), "all connections are up")
                stop.set()
                count = await flowing
                expected = {b"%d" % number for number in range(count)}
                await until(lambda: set(line.payloads()) == expected, "every event was answered")
                assert len(trigger.state()) == 2

    play(scene())


def test_functions_and_target_of_a_rule_change_in_place(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        brokers = (broker_plan(mosquitto),)
        functions = Functions(echo=echo, shout=shout)
        with device(mosquitto) as line:
            await line.listen("#")
            async with running(MqttPlan(brokers, (rule_plan(),)), functions.dispatch) as trigger:
                changed = rule_plan(functions=(("shout", 0),), pub_topic="elsewhere", pub_client_id="other")
                await trigger.apply(MqttPlan(brokers, (changed,)))
                await until(lambda: all_connected(trigger), "all connections are up")
                line.say("in/r1", b"a")
                await until(lambda: b"A" in line.payloads(), "it is answered")
                assert [message.topic for message in line.heard if message.payload == b"A"] == ["elsewhere"]
                assert [row.sub_process_name for row in trigger.rows()] == ["sub_process_b1_shout_0"]
                assert {state.client_id for state in trigger.state()} == {"r1-in", "other"}

    play(scene())


def test_a_rule_that_is_gone_leaves_no_subscription_at_the_broker(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("log_type all",))
        plan = MqttPlan((broker_plan(broker),), (rule_plan(), rule_plan("r2")))
        async with running(plan, Functions(echo=echo).dispatch) as trigger:
            await trigger.apply(MqttPlan(plan.brokers, (rule_plan("r2"),)))
            await until(lambda: "Received UNSUBSCRIBE from r1-in" in broker.log(), "it has unsubscribed")
            assert "Received UNSUBSCRIBE from r2-in" not in broker.log()

    play(scene())


def test_events_of_a_rule_whose_subscription_changes_are_answered_before_it_goes(
    mosquitto: Mosquitto,
) -> None:
    async def scene() -> None:
        brokers = (broker_plan(mosquitto),)
        functions = Functions(echo=echo)
        functions.held.add("echo")
        with device(mosquitto) as line:
            await line.listen("out/#")
            async with running(MqttPlan(brokers, (rule_plan(),)), functions.dispatch) as trigger:
                line.say("in/r1", b"before")
                await until(lambda: len(functions.events) == 1, "it runs")
                asyncio.get_running_loop().call_later(0.1, functions.let_go, "echo")
                await trigger.apply(MqttPlan(brokers, (rule_plan(sub_topic="in/other"),)))
                await until(lambda: all_connected(trigger), "all connections are up")
                line.say("in/r1", b"old topic")
                line.say("in/other", b"after")
                await until(lambda: line.payloads() == [b"before", b"after"], "both are answered")

    play(scene())


def test_results_that_wait_for_a_broker_go_out_through_its_new_address(
    make_mosquitto: MakeMosquitto,
) -> None:
    async def scene() -> None:
        here, there, new = (make_mosquitto() for _ in range(3))
        there.stop()
        rules = (rule_plan(pub_broker="b2"),)
        plan = MqttPlan((broker_plan(here), broker_plan(there, "b2")), rules)
        with device(here) as line, device(new) as target:
            await target.listen("out/#")
            async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
                await until(lambda: trigger.state()[0].connected, "it is subscribed")
                line.say_all("in/r1", [b"1", b"2", b"3"])
                await until(lambda: trigger.rows()[0].post_queue == 3, "the results wait")
                await trigger.apply(MqttPlan((plan.brokers[0], broker_plan(new, "b2")), rules))
                await until(lambda: target.payloads() == [b"1", b"2", b"3"], "they went out in order")
                await until(lambda: trigger.state()[0].answered == 3, "and are acknowledged")

    play(scene())


def test_results_that_wait_go_out_through_the_rules_new_target(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        here, there, new = (make_mosquitto() for _ in range(3))
        there.stop()
        brokers = (broker_plan(here), broker_plan(there, "b2"), broker_plan(new, "b3"))
        with device(here) as line, device(new) as target:
            await target.listen("out/#")
            plan = MqttPlan(brokers, (rule_plan(pub_broker="b2"),))
            async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
                await until(lambda: trigger.state()[0].connected, "it is subscribed")
                line.say_all("in/r1", [b"1", b"2"])
                await until(lambda: trigger.rows()[0].post_queue == 2, "the results wait")
                # The same broker under another id first, then none of that name: nothing is left hanging.
                changed = rule_plan(pub_broker="b2", pub_client_id="other")
                await trigger.apply(MqttPlan(brokers, (changed,)))
                assert trigger.rows()[0].post_queue == 2
                await trigger.apply(MqttPlan(brokers, (rule_plan(pub_broker="b3"),)))
                await until(lambda: trigger.rows()[0].post_queue == 0, "what could not go out has ended")
                line.say("in/r1", b"3")
                await until(lambda: target.payloads()[-1:] == [b"3"], "the rule goes on")
                assert all_connected(trigger)

    play(scene())


def test_a_plan_with_a_fault_changes_nothing(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch) as trigger:
            with pytest.raises(ValueError, match="no broker is called b9"):
                await trigger.apply(MqttPlan(plan.brokers, (rule_plan(pub_broker="b9"),)))
            await assert_echo(mosquitto, trigger)

    play(scene())


async def assert_echo(broker: Mosquitto, trigger: MqttTrigger) -> None:
    with device(broker) as line:
        await line.listen("out/#")
        line.say("in/r1", b"still there")
        await until(lambda: line.payloads() == [b"still there"], "it is answered")
    assert all_connected(trigger)
