"""Hosts share the events of a topic, on brokers that are proven to honour it."""

from pathlib import Path
from typing import Any

import pytest

from tests.brokers import Amqtt, MakeMosquitto, Mosquitto
from tests.mqtt.clients import Functions, broker_plan, device, echo, play, rule_plan, running, until
from tests.mqtt.raw import answering
from triggers.mqtt.plan import BrokerPlan, MqttPlan

# MQTT 5: accepted, with the one property that shared subscriptions are not available.
NOT_SHARED = b"\x20\x05\x00\x00\x02\x2a\x00"


def host_plan(broker: Mosquitto, name: str, **more: Any) -> MqttPlan:
    """A host of its own name that shares in/# as the group `team`."""
    clients = {"sub_client_id": f"{name}-in", "pub_client_id": f"{name}-out", "sub_topic": "in/#"}
    return MqttPlan((broker_plan(broker, **more),), (rule_plan(**clients, group="team"),))


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_each_event_is_answered_by_one_of_the_hosts(mosquitto: Mosquitto, version: Any) -> None:
    async def scene() -> None:
        one, other = Functions(echo=echo), Functions(echo=echo)
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            async with (
                running(host_plan(mosquitto, "h1", version=version), one.dispatch),
                running(host_plan(mosquitto, "h2", version=version), other.dispatch),
            ):
                events = [b"%d" % n for n in range(200)]
                for n, event in enumerate(events):
                    outside.say(f"in/{n % 7}", event)
                await until(lambda: len(outside.heard) >= 200, "all are answered")
                assert sorted(outside.payloads()) == sorted(events)
                assert one.events and other.events
                assert sorted(one.bodies() + other.bodies()) == sorted(events)

    play(scene())


def test_a_broker_is_tried_once_and_its_rules_hear_nothing_of_it(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("log_type all",))
        rules = tuple(rule_plan(name, group="team") for name in ("r1", "r2", "r3"))
        curious = rule_plan("all", sub_topic="fnhost/#")
        functions = Functions(echo=echo)
        async with running(MqttPlan((broker_plan(broker),), (curious,)), functions.dispatch) as trigger:
            await trigger.apply(MqttPlan((broker_plan(broker),), (curious, *rules)))
            await until(lambda: all(state.connected for state in trigger.state()), "all are subscribed")
            await until(lambda: trigger.state()[0].ignored == 11, "the test's messages are no events")
            assert not functions.events
        assert broker.log().count("$share/team/") >= 3
        assert broker.log().count("/end (QoS 1)") == 2

    play(scene())


def test_a_rule_that_joins_a_group_gets_each_event_once(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        async with running(MqttPlan((broker_plan(mosquitto),), (rule_plan(),)), functions.dispatch):
            pass
        grouped = MqttPlan((broker_plan(mosquitto),), (rule_plan(group="team"),))
        with device(mosquitto) as outside:
            async with running(grouped, functions.dispatch) as trigger:
                events = [b"%d" % n for n in range(20)]
                outside.say_all("in/r1", events)
                await until(lambda: trigger.state()[0].answered == 20, "all are answered")
        assert functions.bodies() == events

    play(scene())


def test_a_rule_that_leaves_its_group_gets_each_event_once(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        brokers = (broker_plan(mosquitto),)
        with device(mosquitto) as outside:
            async with running(MqttPlan(brokers, (rule_plan(group="team"),)), functions.dispatch) as trigger:
                await trigger.apply(MqttPlan(brokers, (rule_plan(),)))
                await until(lambda: trigger.state()[0].connected, "it is subscribed alone")
                events = [b"%d" % n for n in range(20)]
                outside.say_all("in/r1", events)
                await until(lambda: trigger.state()[0].answered == 20, "all are answered")
        assert functions.bodies() == events

    play(scene())


def test_a_broker_that_shares_nothing_leaves_the_rule_unsubscribed_and_says_what_to_do(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Amqtt(tmp_path)
    broker.start()

    async def scene() -> None:
        plan = MqttPlan((broker_plan(broker),), (rule_plan(group="team"),))
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            await until(lambda: trigger.state()[0].last_error is not None, "the rule says so")
            error = str(trigger.state()[0].last_error)
            assert "does not honour shared subscriptions (0 of 10 test messages came)" in error
            assert "take `group` from the rule" in error
            assert not trigger.state()[0].connected
            assert sum("shared subscriptions" in text for text in caplog.messages) == 1

    try:
        play(scene())
    finally:
        broker.kill()


def test_a_broker_that_says_it_shares_nothing_is_believed() -> None:
    async def scene(url: str) -> None:
        plan = MqttPlan((BrokerPlan("b1", url, 1, version="5"),), (rule_plan(group="team"),))
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            await until(lambda: "it says so itself" in str(trigger.state()[0].last_error), "the rule says so")

    with answering(NOT_SHARED) as url:
        play(scene(url))
