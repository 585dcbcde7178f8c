"""Nothing is lost: brokers that are away, restart, or refuse; functions that are slow; a host that stops."""

import asyncio
import re
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from runtime.events import Answer, Event, QueueFullError
from tests.brokers import Amqtt, MakeMosquitto, Mosquitto, free_port
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
from triggers.delivery.keeping import Keeping
from triggers.mqtt.feed import Feed
from triggers.mqtt.plan import BrokerPlan, MqttPlan
from triggers.mqtt.trigger import MqttTrigger
from triggers.store.store import DeliveryStore

# What a test of at-least-once wants of mosquitto: its own limits drop messages silently.
UNLIMITED = ("max_queued_messages 0", "autosave_interval 0")


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % n for n in range(first, first + count)]


def test_acknowledgements_leave_in_the_order_of_receipt(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("log_type all", "max_inflight_messages 0", *UNLIMITED))
        functions = Functions(echo=echo)
        functions.held.add("echo")
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        with device(broker) as outside:
            async with running(plan, functions.dispatch) as trigger:
                functions.let_go("echo")
                outside.say_all("in/r1", numbered(40))
                await until(lambda: trigger.state()[0].answered == 40, "the lane has gathered pace")
                functions.held.add("echo")
                outside.say_all("in/r1", numbered(20))
                await until(lambda: len(functions.events) == 60, "all are dispatched")
                functions.let_go("echo", last_first=True)
                await until(lambda: trigger.state()[0].answered == 60, "all are answered")
        sent = re.findall(r"Sending PUBLISH to r1-in \(d0, q1, r0, m(\d+)", broker.log())
        acknowledged = re.findall(r"Received PUBACK from r1-in \(Mid: (\d+)", broker.log())
        assert len(sent) == 60 and acknowledged == sent

    play(scene())


def test_nothing_is_acknowledged_before_its_result_is_confirmed(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        here, there = make_mosquitto(settings=("log_type all",)), make_mosquitto()
        plan = MqttPlan((broker_plan(here), broker_plan(there, "b2")), (rule_plan(pub_broker="b2"),))
        with device(here) as outside:
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                there.stop()
                outside.say_all("in/r1", numbered(10))
                await until(lambda: trigger.rows()[0].post_queue == 10, "the results wait")
                assert "PUBACK from r1-in" not in here.log() and trigger.state()[0].answered == 0
                there.start()
                await until(lambda: trigger.state()[0].answered == 10, "the results are confirmed")
                await until(lambda: here.log().count("PUBACK from r1-in") == 10, "all are acknowledged")

    play(scene())


def test_a_broker_that_is_down_at_start_is_waited_for(tmp_path: Path) -> None:
    async def scene() -> None:
        broker = Mosquitto(tmp_path)
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            await until(lambda: all(state.last_error for state in trigger.state()), "the failure is said")
            broker.start()
            await until(lambda: all_connected(trigger), "it is connected")
            with device(broker) as outside:
                await outside.listen("out/r1")
                outside.say("in/r1", b"1")
                await until(lambda: outside.payloads() == [b"1"], "the event is answered")
        broker.stop()

    play(scene())


def test_a_host_that_never_reached_its_broker_stops_at_once() -> None:
    async def scene() -> None:
        plan = MqttPlan((BrokerPlan("b1", f"tcp://127.0.0.1:{free_port()}"),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            assert not all_connected(trigger)

    play(scene())


def test_a_broker_that_restarts_under_load_gets_every_event_answered(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto(persistence=True, settings=UNLIMITED)
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        wanted = numbered(3000)
        with device(broker, client_id="listener") as listening, device(broker, client_id="d") as sending:
            await listening.listen("out/r1")
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                load = asyncio.create_task(asyncio.to_thread(sending.say_all, "in/r1", wanted))
                await until(lambda: len(listening.heard) > 500, "the load flows")
                await restart(broker, trigger)
                await until(lambda: len(listening.heard) > 1500, "the load flows again")
                await restart(broker, trigger)
                await load
                await until(lambda: set(wanted) <= set(listening.payloads()), "every event is answered")
                state = trigger.state()[0]
                assert state.reconnects >= 2 and state.failed == state.sessions_lost == 0

    play(scene())


async def restart(broker: Mosquitto, trigger: MqttTrigger) -> None:
    await asyncio.to_thread(broker.stop)
    await until(lambda: not all_connected(trigger), "the loss is noticed")
    await asyncio.to_thread(broker.start)
    await until(lambda: all_connected(trigger), "the trigger is back")


def test_what_is_redelivered_while_it_runs_is_not_run_again(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto(persistence=True, settings=UNLIMITED)
        functions = Functions(echo=echo)
        functions.held.add("echo")
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        async with running(plan, functions.dispatch) as trigger:
            with device(broker) as outside:
                outside.say("in/r1", b"1")
                await until(lambda: len(functions.events) == 1, "it is dispatched")
            await restart(broker, trigger)
            with device(broker) as outside:
                await outside.listen("out/r1")
                outside.say("in/r1", b"2")
                await until(lambda: trigger.rows()[0].pre_queue == 2, "the next one has come")
                functions.let_go("echo")
                await until(lambda: len(outside.heard) == 2, "both are answered")
                assert functions.bodies() == [b"1", b"2"] and outside.payloads() == [b"1", b"2"]
        assert trigger.state()[0].received == 2

    play(scene())


def test_a_broker_that_falls_silent_gets_a_new_connection(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        here, there = make_mosquitto(), make_mosquitto()
        rule = rule_plan(pub_broker="b2", timeout=0.2)
        plan = MqttPlan((broker_plan(here), broker_plan(there, "b2")), (rule,))
        with device(here) as sending, device(there) as listening:
            await listening.listen("out/r1")
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                there.freeze()
                sending.say_all("in/r1", numbered(5))
                await until(lambda: not trigger.state()[1].connected, "the silence is noticed")
                there.thaw()
                await until(lambda: trigger.state()[0].answered == 5, "all are confirmed")
                await until(lambda: set(numbered(5)) <= set(listening.payloads()), "all are heard")
                assert trigger.state()[1].reconnects == 1

    play(scene())


def test_a_lost_session_is_said_and_subscribed_to_again(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch) as trigger:
            mosquitto.kill()
            await until(lambda: not trigger.state()[0].connected, "the loss is noticed")
            mosquitto.start()
            await until(lambda: all_connected(trigger), "the trigger is back")
            assert trigger.state()[0].sessions_lost == 1
            with device(mosquitto) as outside:
                await outside.listen("out/r1")
                outside.say("in/r1", b"1")
                await until(lambda: outside.payloads() == [b"1"], "the event is answered")

    play(scene())


def test_a_broker_without_mqtt_5_is_spoken_to_in_3_1_1(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(broker: Amqtt) -> None:
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch) as trigger:
            assert {state.version for state in trigger.state()} == {"3.1.1"}
            with device(broker, MQTTProtocolVersion.MQTTv311) as outside:
                await outside.listen("out/r1")
                outside.say_all("in/r1", numbered(50))
                await until(lambda: len(outside.heard) == 50, "all are answered")
                assert outside.payloads() == numbered(50)
        assert sum("does not speak MQTT 5" in line for line in caplog.messages) == 1

    broker = Amqtt(tmp_path)
    broker.start()
    try:
        with caplog.at_level("INFO"):
            play(scene(broker))
    finally:
        broker.stop()


def test_a_full_queue_holds_events_and_every_one_is_answered(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        refusals = 0

        def full_now_and_then(event: Event) -> QueueFullError | Answer:
            nonlocal refusals
            refusals += 1
            return QueueFullError() if refusals % 3 else echo(event)

        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            async with running(plan, Functions(echo=full_now_and_then).dispatch) as trigger:
                outside.say_all("in/r1", numbered(30))
                await until(lambda: len(outside.heard) == 30, "all are answered")
                assert sorted(outside.payloads()) == sorted(numbered(30))
                assert trigger.state()[0].failed == trigger.state()[0].dropped == 0

    play(scene())


def test_stop_waits_for_what_runs_and_leaves_the_rest_to_the_broker(
    make_mosquitto: MakeMosquitto, tmp_path: Path
) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=UNLIMITED)
        functions = Functions(echo=echo)
        functions.held.add("echo")
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        with device(broker) as outside:
            await outside.listen("out/r1")
            store = DeliveryStore(tmp_path / "delivery.db")
            await store.open()
            trigger = await started(plan, functions, store)
            outside.say_all("in/r1", numbered(10))
            await until(lambda: trigger.rows()[0].pre_queue == 10, "all have come")
            running_before = len(functions.events)
            stopping = asyncio.create_task(trigger.stop())
            await until(lambda: trigger.rows()[0].pre_queue == running_before, "what waits is let go of")
            functions.let_go("echo")
            await stopping
            await store.close()
            assert outside.payloads() == numbered(running_before)
            async with running(plan, functions.dispatch):
                await until(lambda: len(outside.heard) == 10, "the rest is delivered again")
            assert outside.payloads() == numbered(10) == functions.bodies()

    play(scene())


async def started(plan: MqttPlan, functions: Functions, store: DeliveryStore) -> MqttTrigger:
    trigger = MqttTrigger(plan, Feed(functions.dispatch), Keeping(store))
    await trigger.setup()
    await trigger.start()
    await until(lambda: all_connected(trigger), "all connections are up")
    return trigger


def test_results_that_the_broker_will_not_take_are_failures(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto(settings=("max_packet_size 2000",))
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        failures: list[object] = []
        functions = Functions(echo=lambda event: echo(Event(event.body * 3000)))
        with device(broker) as outside:
            await outside.listen("out/r1")
            async with running(plan, functions.dispatch, on_failure=failures.append) as trigger:
                outside.say_all("in/r1", [b"1", b""])
                await until(lambda: outside.payloads() == [b""], "the small one is answered")
                assert trigger.state()[0].failed == 1 and "larger than the broker takes" in str(failures)

    play(scene())


def test_results_that_the_broker_forbids_are_failures(make_mosquitto: MakeMosquitto, tmp_path: Path) -> None:
    async def scene() -> None:
        rights = tmp_path / "rights"
        rights.write_text("topic readwrite in/#\ntopic read out/#\n")
        broker = make_mosquitto(settings=(f"acl_file {rights}",))
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        failures: list[object] = []
        with device(broker) as outside:
            async with running(plan, Functions(echo=echo).dispatch, on_failure=failures.append):
                outside.say("in/r1", b"1")
                await until(lambda: len(failures) == 1, "the failure is handed on")
                assert "Not authorized" in str(failures)

    play(scene())


def test_messages_of_an_earlier_subscription_are_acknowledged_and_ignored(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        old = MqttPlan((broker_plan(mosquitto),), (rule_plan(sub_topic="in/old"),))
        new = MqttPlan((broker_plan(mosquitto),), (rule_plan(sub_topic="in/new"),))
        with device(mosquitto) as outside:
            async with running(old, functions.dispatch):
                pass
            async with running(new, functions.dispatch) as trigger:
                outside.say("in/old", b"old")
                outside.say("in/new", b"new")
                await until(lambda: functions.bodies() == [b"new"], "the new one is taken")
                assert (trigger.state()[0].ignored, trigger.state()[0].received) == (1, 1)

    play(scene())
