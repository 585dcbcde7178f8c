"""Events go through a function and come out, on a real broker."""

import asyncio
from typing import Any

import pytest

from runtime.events import Answer, Event, FunctionRaisedError, Publication
from tests.brokers import Mosquitto
from tests.mqtt.clients import Functions, broker_plan, device, echo, play, rule_plan, running, until
from triggers.mqtt.plan import MqttPlan


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_message_comes_out_as_the_function_returned_it(
    mosquitto: Mosquitto, qos: int, version: Any
) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto, qos=qos, version=version),), (rule_plan(),))
        functions = Functions(echo=echo)
        with device(mosquitto) as outside:
            await outside.listen("out/r1", qos=2)
            async with running(plan, functions.dispatch) as trigger:
                sent = [b'{"n": %d}' % n for n in range(300)]
                outside.say_all("in/r1", sent, qos=qos)
                await until(lambda: len(outside.heard) >= 300, "all results are heard")
                assert outside.payloads() == sent
                assert {message.qos for message in outside.heard} == {qos}
                await until(lambda: trigger.state()[0].answered == 300, "all results are confirmed")
                assert trigger.state()[0].version == version and trigger.state()[0].failed == 0

    play(scene())


def test_it_runs_on_the_plain_event_loop_too(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            async with running(plan, Functions(echo=echo).dispatch):
                outside.say("in/r1", b"1")
                await until(lambda: outside.payloads() == [b"1"], "the result is heard")

    asyncio.run(scene())


def test_the_function_is_told_what_the_trigger_knows(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        functions = Functions(echo=echo)
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            async with running(plan, functions.dispatch):
                outside.say("in/r1", b"{}", properties={"ContentType": "text/plain"})
                await until(lambda: functions.bodies() == [b"{}"], "the event is dispatched")
                _, event = functions.events[-1]
                assert (event.trigger, event.source, event.content_type) == ("mqtt", "r1", "text/plain")
                assert event.meta == {"topic": "in/r1", "qos": 1, "retain": False}
                assert event.received > 0

    play(scene())


def test_only_null_and_the_strings_null_and_braces_stay_unpublished(mosquitto: Mosquitto) -> None:
    bodies = {
        b"none": Answer(None),
        b"null": Answer(b"null"),
        b"nulls": Answer(b'"null"'),
        b"braces": Answer(b'"{}"'),
        b"dict": Answer(b"{}"),
        b"one": Answer(b'"1"'),
        b"text": Answer(b"null", content_type="text/plain"),
    }

    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        functions = Functions(echo=lambda event: bodies.get(event.body, Answer(event.body)))
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            async with running(plan, functions.dispatch) as trigger:
                outside.say_all("in/r1", [*bodies, b"last"])
                await until(lambda: b"last" in outside.payloads(), "the last result is heard")
                assert outside.payloads() == [b"{}", b'"1"', b"null", b"last"]
                await until(lambda: trigger.state()[0].answered == len(bodies) + 1, "all are confirmed")

    play(scene())


def test_results_say_which_package_made_them_of_which_request_in_what_time(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto, retain=True),), (rule_plan(),))
        made = Answer(b"1", revision="echo@1", digest="0a1b", queued=0.0015, seconds=0.25)
        functions = Functions(echo=lambda event: made)
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            async with running(plan, functions.dispatch):
                outside.say("in/r1", b"1")
                await until(lambda: len(outside.heard) == 1, "the result is heard")
                told = vars(outside.heard[-1].properties)
                assert told["ContentType"] == "application/json"
                request_id = functions.events[-1][1].id
                assert told["UserProperty"] == [
                    ("function", "echo"), ("request-id", request_id), ("revision", "echo@1"),
                    ("digest", "sha256:0a1b"), ("queue-ms", "1.500"), ("run-ms", "250.000"),
                ]  # fmt: skip
            with device(mosquitto) as late:
                await late.listen("out/r1")
                await until(lambda: len(late.heard) == 1, "the result was retained")

    play(scene())


def test_a_response_topic_wins_over_the_rule_and_gets_its_correlation_data(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            await outside.listen("reply/#")
            async with running(plan, Functions(echo=echo).dispatch):
                asked = {"ResponseTopic": "reply/me", "CorrelationData": b"\0\xff7"}
                outside.say("in/r1", b"1", properties=asked)
                outside.say("in/r1", b"2", properties={"ResponseTopic": "in/r1"})
                outside.say("in/r1", b"3", properties={"ResponseTopic": "reply/+"})
                await until(lambda: len(outside.heard) == 3, "three results are heard")
                assert [message.topic for message in outside.heard] == ["reply/me", "out/r1", "out/r1"]
                assert vars(outside.heard[0].properties)["CorrelationData"] == b"\0\xff7"

    play(scene())


def test_a_response_goes_to_the_broker_of_the_request(make_mosquitto: Any) -> None:
    async def scene() -> None:
        here, there = make_mosquitto(), make_mosquitto()
        brokers = broker_plan(here), broker_plan(there, "b2")
        plan = MqttPlan(brokers, (rule_plan(pub_broker="b2"),))
        with device(here) as asking, device(there) as listening:
            await listening.listen("out/r1")
            await asking.listen("reply")
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                asking.say("in/r1", b"1")
                await until(lambda: listening.payloads() == [b"1"], "the target broker gets results")
                asking.say("in/r1", b"2", properties={"ResponseTopic": "reply"})
                await until(lambda: asking.payloads() == [b"2"], "the request is answered")
                assert trigger.state()[-1].client_id == "r1-in-reply"

    play(scene())


def test_what_a_function_publishes_goes_out_with_its_result_and_not_without(mosquitto: Mosquitto) -> None:
    def alarm(event: Event) -> Answer:
        topic = "alarm/+" if event.body == b"bad" else "alarm/1"
        return Answer(event.body, publications=(Publication(topic, b"!" + event.body, qos=0),))

    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            async with running(plan, Functions(echo=alarm).dispatch) as trigger:
                await outside.listen("alarm/#")
                outside.say_all("in/r1", [b"bad", b"good"])
                await until(lambda: len(outside.heard) == 2, "the good one's messages are heard")
                assert sorted(outside.payloads()) == [b"!good", b"good"]
                assert trigger.state()[0].failed == 1

    play(scene())


def test_a_failed_event_is_acknowledged_counted_and_handed_on(mosquitto: Mosquitto) -> None:
    def picky(event: Event) -> Answer | FunctionRaisedError:
        return FunctionRaisedError("ValueError", "no", []) if event.body == b"bad" else echo(event)

    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        failures: list[Any] = []
        with device(mosquitto) as outside:
            await outside.listen("out/r1")
            functions = Functions(echo=picky)
            async with running(plan, functions.dispatch, on_failure=failures.append) as trigger:
                outside.say_all("in/r1", [b"bad", b"good"])
                await until(lambda: b"good" in outside.payloads(), "the good one is answered")
                assert trigger.state()[0].failed == 1
            assert [(failure.rule, failure.function, failure.event.body) for failure in failures] == [
                ("r1", "echo", b"bad")
            ]
            async with running(plan, functions.dispatch):
                outside.say("in/r1", b"after")
                await until(lambda: b"after" in outside.payloads(), "the next one is answered")
                assert functions.bodies().count(b"bad") == 1

    play(scene())


def test_two_rules_on_one_broker_share_nothing_and_topics_may_be_chinese(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        rules = (
            rule_plan("r1", sub_topic="/三厂/设备2/遥测", pub_topic="/三厂/结果", functions=(("slow", 0),)),
            rule_plan("r2", functions=(("echo", 1), ("double", 2))),
        )
        functions = Functions(echo=echo, slow=echo, double=lambda event: Answer(event.body * 2))
        functions.held.add("slow")
        with device(mosquitto) as outside:
            await outside.listen("/三厂/结果")
            await outside.listen("out/r2")
            async with running(MqttPlan((broker_plan(mosquitto),), rules), functions.dispatch) as trigger:
                outside.say("/三厂/设备2/遥测", '{"设备": 3}'.encode())
                outside.say("in/r2", b"2")
                await until(lambda: len(outside.heard) == 2, "rule r2 answers while r1 waits")
                await until(lambda: trigger.rows()[0].pre_queue == 1, "r1 waits")
                assert set(outside.payloads()) == {b"2", b"22"}
                names = [row.sub_process_name for row in trigger.rows()]
                assert names == ["sub_process_b1_slow_0", "sub_process_b1_echo_1", "sub_process_b1_double_2"]
                functions.let_go("slow")
                await until(lambda: "/三厂/结果" in {m.topic for m in outside.heard}, "r1 answers")
                await until(lambda: not any(row.pre_queue + row.post_queue for row in trigger.rows()), "idle")

    play(scene())


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_retained_messages_are_ignored_unless_the_rule_wants_them(mosquitto: Mosquitto, version: Any) -> None:
    async def scene() -> None:
        keen = rule_plan("r2", sub_topic="in/x", retained=True, functions=(("keen", 0),))
        plan = MqttPlan((broker_plan(mosquitto, version=version),), (rule_plan(sub_topic="in/x"), keen))
        functions = Functions(echo=echo, keen=echo)
        with device(mosquitto) as outside:
            outside.say("in/x", b"old", retain=True)
            async with running(plan, functions.dispatch):
                outside.say("in/x", b"new")
                await until(lambda: len(functions.events) == 3, "both rules take the new message")
                taken = sorted((name, event.body) for name, event in functions.events)
                assert taken == [("echo", b"new"), ("keen", b"new"), ("keen", b"old")]

    play(scene())
