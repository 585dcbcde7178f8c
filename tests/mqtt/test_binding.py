"""A device speaks for itself only, within its bounds; what does not fit is counted, and some of it kept."""

import json

import pytest

from conf.bind import Bind
from runtime.events import Answer, Event
from tests.brokers import Mosquitto
from tests.mqtt.clients import Functions, broker_plan, device, play, rule_plan, running, until
from tests.mqtt.keeping import store_of
from triggers.delivery.letters import DeadLetters, StrandedLetterError
from triggers.mqtt.devices import (
    LETTERS,
    LONGEST_NAME,
    MOST_DEVICES,
    RULE_LETTERS,
    DeviceGuard,
    Objection,
)
from triggers.mqtt.entrance import LONGEST_REFUSED
from triggers.mqtt.messages import Delivery
from triggers.mqtt.plan import Care, MqttPlan
from triggers.mqtt.takers import UNREAD
from triggers.store.store import LetterQuery

CLAIM = ("deviceInfo", "deviceName")
BY_TOPIC: dict[str, object] = {"from": "topic:2"}
BY_PROPERTY: dict[str, object] = {"from": "property:device"}


def guard(now: list[float] | None = None, **more: object) -> DeviceGuard:
    clock = now or [0.0]
    return DeviceGuard(Bind.model_validate({**BY_TOPIC, **more}), CLAIM, lambda: clock[0])


def event(name: str | None = None, **values: object) -> dict[str, object]:
    told: dict[str, object] = {"t": values}
    return told if name is None else {**told, "deviceInfo": {"deviceName": name}}


def reason(objection: Objection | None) -> str:
    return objection.reason if objection else ""


def test_the_device_is_told_by_a_level_of_the_topic_or_a_user_property() -> None:
    by_topic = guard()
    by_property = DeviceGuard(Bind.model_validate(BY_PROPERTY), CLAIM, lambda: 0.0)
    told = Delivery("in/d1/x", b"{}", 1, user_properties={"device": "d2"})
    assert (by_topic.device_of(told), by_property.device_of(told)) == ("d1", "d2")
    untold = Delivery("in", b"{}", 1)
    assert by_topic.device_of(untold) == by_property.device_of(untold) == ""
    assert reason(by_topic.challenge("")) == "name"
    assert reason(guard(unnamed="allow").challenge("")) == ""


def test_a_long_name_is_refused_and_nothing_remembers_it() -> None:
    judging = guard(unnamed="allow", rate={"count": 1, "interval": "1s"})
    assert judging._rates is not None
    for number in range(3):
        objection = judging.challenge(f"{number}" * (LONGEST_NAME + 1))
        assert objection is not None and (objection.reason, objection.device) == ("name", "")
    assert list(judging._letters._known) == [""] and not judging._rates._known
    assert reason(judging.challenge("d" * LONGEST_NAME)) == ""


def test_an_event_may_not_claim_another_device() -> None:
    objection = guard().judge("d1", event("d2"))
    assert objection is not None and objection.reason == "claim"
    assert str(objection.error) == "it says that it is of 'd2', and came as one of 'd1'"
    assert guard().judge("d1", event("d1")) is None
    assert guard().judge("d1", event()) is None
    assert guard().judge("d1", None) is None
    assert guard().judge("", event("d2")) is None


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"deviceInfo": {"deviceName": ["d2"]}}, "deviceInfo.deviceName of 'd1' is no name, but 'list'"),
        ({"deviceInfo": {"deviceName": {"d2": 1}}}, "deviceInfo.deviceName of 'd1' is no name, but 'dict'"),
        ({"deviceInfo": [{"deviceName": "d2"}]}, "deviceInfo of 'd1' is no object, but 'list'"),
        ({"deviceInfo": "d2"}, "deviceInfo of 'd1' is no object, but 'd2'"),
        ([{"deviceInfo": {"deviceName": "d2"}}], "the event of 'd1' is no object, but 'list'"),
        ({"deviceInfo": {"deviceName": 7}}, "it says that it is of '7', and came as one of 'd1'"),
        ({"deviceInfo": {"deviceName": None}}, None),
        ({"deviceInfo": None}, None),
        (23.5, None),
        ("d2", None),
    ],
)
def test_a_claim_is_a_name_in_objects(told: object, wrong: str | None) -> None:
    objection = guard().judge("d1", told)
    assert (objection and (objection.reason, str(objection.error))) == (wrong and ("claim", wrong))


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ([{"t": {"v": 1}}], "the event of 'd1' is no object, but 'list'"),
        (7, "the event of 'd1' is no object, but '7'"),
        ({"t": [{"v": 1}]}, "t of 'd1' is no object, but 'list'"),
        ({"t": 7}, "t of 'd1' is no object, but '7'"),
        ({"t": None}, None),
        ({}, None),
    ],
)
def test_bounded_values_stand_in_objects(told: object, wrong: str | None) -> None:
    judging = guard(unnamed="allow", values={"t.v": {"type": "number"}})
    objection = judging.judge("d1", told)
    assert (objection and str(objection.error)) == wrong
    assert (judging.judge("", told) is None) == (wrong is None)


@pytest.mark.parametrize(
    ("bound", "value", "wrong"),
    [
        ({"type": "number", "min": -40, "max": 150}, 150, None),
        ({"type": "number", "min": -40, "max": 150}, -40.0, None),
        ({"type": "number", "min": -40, "max": 150}, 150.5, "is 150.5, more than 150"),
        ({"type": "number", "min": -40, "max": 150}, -41, "is -41, less than -40"),
        ({"type": "number"}, float("nan"), "is no number, but 'NaN'"),
        ({"type": "number"}, float("-inf"), "is no number, but '-Infinity'"),
        ({"type": "number"}, 10**400, f"is no number, but '1{'0' * 99}'"),
        ({"type": "number"}, 10**300, None),
        ({"type": "integer"}, 10**400, f"is no integer, but '1{'0' * 99}'"),
        ({"type": "integer", "max": 9}, 10**300, f"is 1{'0' * 96}, more than 9"),
        ({"type": "integer"}, float("inf"), "is no integer, but 'Infinity'"),
        ({"type": "integer"}, False, "is no integer, but 'false'"),
        ({"type": "integer"}, "7", "is no integer, but '7'"),
        ({"type": "number"}, True, "is no number, but 'true'"),
        ({"type": "number"}, "7", "is no number, but '7'"),
        ({"type": "number"}, [7], "is no number, but 'list'"),
        ({"type": "integer"}, 7.0, None),
        ({"type": "integer"}, 7.5, "is no integer, but '7.5'"),
        ({"type": "text"}, "7", None),
        ({"type": "text"}, 7, "is no text, but '7'"),
        ({"type": "boolean"}, 1, "is no boolean, but '1'"),
        ({"type": "boolean"}, None, None),
    ],
)
def test_values_have_a_type_and_a_range(bound: dict[str, object], value: object, wrong: str | None) -> None:
    objection = guard(values={"t.v": bound}).judge("d1", event(v=value))
    assert (objection and str(objection.error)) == (wrong and f"t.v of 'd1' {wrong}")


@pytest.mark.parametrize("unread", [None, UNREAD])
def test_bounds_of_values_refuse_what_is_not_json(unread: object) -> None:
    assert reason(guard(values={"t": {"type": "number"}}).judge("d1", unread)) == "value"


def test_each_device_has_a_rate_of_its_own() -> None:
    now = [0.0]
    judging = guard(now, rate={"count": 2, "interval": "1s"})
    told = [reason(judging.challenge(name)) for name in ("d1", "d1", "d1", "d2")]
    assert told == ["", "", "rate", ""]
    now[0] = 0.5
    assert reason(judging.challenge("d1")) == ""
    for number in range(MOST_DEVICES + 1):
        judging.challenge(f"n{number}")
    assert judging._rates is not None and len(judging._rates._known) == MOST_DEVICES


def test_a_device_that_floods_has_a_few_dead_letters_and_leaves_room_for_others() -> None:
    now = [0.0]
    judging = guard(now)

    def kept(name: str, count: int) -> int:
        objections = [judging.judge(name, event("other")) for _ in range(count)]
        return sum(each is not None and each.kept for each in objections)

    assert kept("d1", 1000) == LETTERS and kept("d2", 1) == 1
    now[0] = 60.0
    assert kept("d1", 1000) == LETTERS
    # Nor do many devices that say another name each time fill the disk.
    assert sum(kept(f"n{number}", 1) for number in range(1000)) <= RULE_LETTERS


def test_what_does_not_fit_reaches_no_function_and_is_acknowledged_in_order(mosquitto: Mosquitto) -> None:
    seen: list[tuple[object, str]] = []

    def note(told: Event) -> Answer:
        assert isinstance(told.meta, dict)
        seen.append((told.meta.get("device"), told.caller))
        return Answer(told.body, revision="echo@1")

    async def scene() -> None:
        bind = Bind.model_validate({**BY_TOPIC, "values": {"t.v": {"type": "number", "max": 9}}})
        rule = rule_plan(sub_topic="in/+", bind=bind, care=Care(order="device"))
        functions = Functions(echo=note)
        plan = MqttPlan((broker_plan(mosquitto),), (rule,))
        big = json.dumps(event("d3", pad="x" * LONGEST_REFUSED)).encode()
        with device(mosquitto) as line:
            await line.listen("out/r1")
            async with running(plan, functions.dispatch) as trigger:
                for topic, told in (
                    ("in/d1", event("d1", v=1)),
                    ("in/d1", event("d2", v=1)),
                    ("in/d1", event("d1", v=10)),
                    ("in/d2", event(v=2)),
                ):
                    line.say(topic, json.dumps(told).encode())
                line.say_all("in/d2", [big] * (LETTERS + 2))
                line.say("in/d1", json.dumps(event("d1", v=3)).encode())
                await until(lambda: len(line.heard) == 3, "what fits is answered")
                state = trigger.state()[0]
                assert (state.refused_claim, state.refused_value) == (LETTERS + 3, 1)
                assert (state.refused_unkept, state.failed, state.answered) == (2, LETTERS + 4, 3)
                assert seen == [("d1", "mqtt/r1/d1"), ("d2", "mqtt/r1/d2"), ("d1", "mqtt/r1/d1")]
                store = store_of(trigger)
                await store.submit()
                letters = (await store.letters(LetterQuery(limit=100)))[::-1]
                assert [each.error_type for each in letters] == ["DeviceRefused"] * (LETTERS + 2)
                assert letters[0].message == "it says that it is of 'd2', and came as one of 'd1'"
                assert letters[1].message == "t.v of 'd1' is 10, more than 9"
                assert letters[-1].body == big[:LONGEST_REFUSED]
                with pytest.raises(StrandedLetterError):
                    await DeadLetters(store, trigger.wake).replay(letters[0].seq)
                subscriber = trigger._subscribers["b1", "r1-in"][0]
                await until(lambda: subscriber.rule.idle and not subscriber._open, "all is acknowledged")

    play(scene())


def test_what_was_refused_before_a_crash_is_not_judged_again(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        rule = rule_plan(sub_topic="in/+", bind=Bind.model_validate(BY_TOPIC))
        functions = Functions(echo=lambda told: Answer(told.body, revision="echo@1"))
        async with running(MqttPlan((broker_plan(mosquitto),), (rule,)), functions.dispatch) as trigger:
            working = trigger._subscribers["b1", "r1-in"][0].rule
            refused = Delivery("in/d1", json.dumps(event("d2")).encode(), 1)
            working.take(refused, {"-": (7,)})
            assert refused.done and refused.rows == [7]
            taken = Delivery("in/d1", json.dumps(event("d2")).encode(), 1)
            working.take(taken, {"other": (8,)})
            assert working.counters.refused_claim == 0
            await until(lambda: taken.done, "it goes on as what it was taken for")

    play(scene())
