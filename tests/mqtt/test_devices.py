"""Which functions get an event: by the devices they name, and what is told of events that nobody takes."""

import json

from conf.devices import Device
from runtime.events import Answer, Event, FunctionRaisedError
from tests.brokers import Mosquitto
from tests.mqtt.clients import Functions, broker_plan, device, echo, play, rule_plan, running, until
from triggers.mqtt.plan import MqttPlan, Target


def named(name: str, point: str | None = None) -> Device:
    attributes = [
        {"attrValue": name, "attrExpression": "== data_to_dict['deviceInfo']['deviceName']"},
    ]
    if point is not None:
        attributes.append({"attrValue": point, "attrExpression": 'in data_to_dict["telemetry"]'})
    return Device.model_validate({"deviceName": name, "deviceAttr": attributes})


def event(name: str, **telemetry: object) -> bytes:
    told = {"deviceInfo": {"deviceName": name}, "telemetry": telemetry}
    return json.dumps(told, ensure_ascii=False).encode()


def who(answering: Event) -> Answer:
    assert isinstance(answering.meta, dict)
    return Answer(json.dumps([answering.meta.get("device")]).encode(), revision="who@1")


def test_an_event_runs_each_function_once_for_each_device_that_matches(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        rule = rule_plan(
            functions=(("first", 0), ("second", 1), ("all", 2)),
            devices=((named("设备2"), named("设备2", "OPC温度")), (named("设备3"),), ()),
        )
        functions = Functions(first=who, second=who, all=who)
        with device(mosquitto) as line:
            await line.listen("out/r1")
            async with running(MqttPlan((broker_plan(mosquitto),), (rule,)), functions.dispatch) as trigger:
                line.say("in/r1", event("设备2", OPC温度=1))
                await until(lambda: len(line.heard) == 3, "three answers")
                assert sorted(name for name, _ in functions.events) == ["all", "first", "first"]
                line.say("in/r1", event("设备3"))
                await until(lambda: len(line.heard) == 5, "two more")
                assert sorted(name for name, _ in functions.events[3:]) == ["all", "second"]
                assert trigger.state()[0].received == 2

    play(scene())


def test_events_that_no_device_takes_are_acknowledged_and_counted(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        rule = rule_plan(devices=((named("设备2"),),))
        functions = Functions(echo=echo)
        failures: list[str] = []
        plan = MqttPlan((broker_plan(mosquitto),), (rule,))
        with device(mosquitto) as line:
            await line.listen("out/r1")
            async with running(
                plan, functions.dispatch, on_failure=lambda failure: failures.append(str(failure.error))
            ) as trigger:
                for payload in (event("其他"), b"not json \xff", b'{"deviceInfo": {}}', event("设备2")):
                    line.say("in/r1", payload)
                await until(lambda: line.payloads() == [event("设备2")], "the one that fits is answered")
                state = trigger.state()[0]
                assert (state.received, state.unmatched, state.failed) == (4, 2, 1)
                assert "not JSON" in failures[0]

    play(scene())


def test_events_that_say_they_are_encrypted_or_compressed_pass_unchanged_and_are_counted(
    mosquitto: Mosquitto,
) -> None:
    async def scene() -> None:
        sealed = (
            b'{"deviceInfo": {"deviceName": "d", "encryption": true, "compression": false}, "telemetry": "x"}'
        )
        with device(mosquitto) as line:
            await line.listen("out/r1")
            plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                line.say("in/r1", sealed)
                line.say("in/r1", sealed.replace(b"true", b"false"))
                await until(lambda: len(line.heard) == 2, "both are answered")
                assert line.payloads()[0] == sealed
                assert trigger.state()[0].sealed == 1

    play(scene())


def test_a_failed_event_is_told_on_the_error_topic_before_it_is_acknowledged(mosquitto: Mosquitto) -> None:
    def broken(_: Event) -> FunctionRaisedError:
        return FunctionRaisedError("ValueError", "无效", [])

    async def scene() -> None:
        rule = rule_plan(functions=(("broken", 0),), error=Target("b1", "errors", "errors/r1"))
        plan = MqttPlan((broker_plan(mosquitto),), (rule,))
        with device(mosquitto) as line:
            await line.listen("errors/#")
            async with running(plan, Functions(broken=broken).dispatch) as trigger:
                line.say("in/r1", b"{}")
                await until(lambda: len(line.heard) == 1, "the error is told")
                told = json.loads(line.payloads()[0])
                assert (told["errorType"], told["errorMessage"]) == ("ValueError", "无效")
                assert (told["function"], told["topic"]) == ("broken", "in/r1")
                await until(lambda: trigger.rows()[0].post_queue == 0, "and confirmed")

    play(scene())


def test_rows_of_the_queue_metrics_carry_the_name_that_the_rule_gives_them(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        rule = rule_plan(sub_process="telm_temperature")
        plan = MqttPlan((broker_plan(mosquitto),), (rule,))
        async with running(plan, Functions(echo=echo).dispatch) as trigger:
            assert [row.sub_process_name for row in trigger.rows()] == ["sub_process_telm_temperature_0"]

    play(scene())
