"""The trigger's parts that need no broker: plan, addresses, topics, backlog, pace, properties, log."""

import logging
from typing import Any

import pytest
from paho.mqtt.client import topic_matches_sub
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from conf.topics import is_publishable, matches
from runtime.events import Event, FunctionRaisedError
from tests.mqtt.clients import play, rule_plan, until
from triggers.delivery.backlog import Backlog
from triggers.delivery.pace import CEILING, Pace
from triggers.mqtt import failures as failures_module
from triggers.mqtt.failures import FailureLog
from triggers.mqtt.messages import Failure
from triggers.mqtt.plan import BrokerPlan, MqttPlan
from triggers.mqtt.properties import Packed, pack
from triggers.mqtt.url import parse_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp://192.168.241.1:1883", ("192.168.241.1", 1883, "tcp", False)),
        ("mqtt://broker", ("broker", 1883, "tcp", False)),
        ("ssl://broker", ("broker", 8883, "tcp", True)),
        ("MQTTS://broker:99", ("broker", 99, "tcp", True)),
        ("ws://[::1]:9001/mqtt", ("::1", 9001, "websockets", False)),
        ("websockets://broker", ("broker", 80, "websockets", False)),
        ("wss://broker", ("broker", 443, "websockets", True)),
    ],
)
def test_all_schemes_of_broker_addresses_are_understood(text: str, expected: tuple[Any, ...]) -> None:
    address = parse_url(text)
    assert (address.host, address.port, address.transport, address.tls) == expected


@pytest.mark.parametrize("text", ["http://broker", "broker:1883", "tcp://", "tcp://user:geheim@broker:x1"])
def test_what_is_no_address_is_refused_without_telling_the_password(text: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_url(text)
    assert "geheim" not in str(refused.value)


def test_credentials_in_an_address_are_kept_out_of_its_text() -> None:
    address = parse_url("tcp://someone:ge%2Fheim@broker")
    assert (address.username, address.password) == ("someone", "ge/heim")
    assert "heim" not in repr(address)


@pytest.mark.parametrize("wanted", ["a/b", "a/+", "a/#", "#", "+/b", "+", "a", "a/b/#", "/a/b", "$SYS/#"])
@pytest.mark.parametrize("topic", ["a/b", "a", "/a/b", "a/b/c", "a/", "$SYS/x"])
def test_a_filter_covers_what_paho_says_it_covers(wanted: str, topic: str) -> None:
    assert matches(wanted, topic) == topic_matches_sub(wanted, topic)
    assert matches(f"$share/group/{wanted}", topic) == topic_matches_sub(wanted, topic)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0", "$SYS/x", "\ud800", "x" * 65536])
def test_what_cannot_be_published_to_is_no_topic_name(topic: str) -> None:
    assert not is_publishable(topic)
    assert is_publishable("/三厂/设备2")


def test_a_plan_names_every_rule_that_cannot_work() -> None:
    brokers = (BrokerPlan("b1", "tcp://broker:1883"), BrokerPlan("b2", "mqtt://BROKER"))
    rules = (
        rule_plan("loop", sub_topic="x/#", pub_topic="x/y", pub_broker="b2"),
        rule_plan("lost", pub_broker="b9"),
        rule_plan("one", sub_client_id="same"),
        rule_plan("two", sub_client_id="same"),
        rule_plan("three", sub_client_id="both", pub_client_id="both"),
    )
    with pytest.raises(ValueError) as refused:
        MqttPlan(brokers, rules).check()
    said = str(refused.value)
    assert "rule loop would be fed its own results" in said and "no broker is called b9" in said
    assert "client id same has two connections" in said and "client id both has two" in said


def test_what_may_be_lost_gives_way_to_newer_and_what_may_not_stays() -> None:
    backlog: Backlog[str] = Backlog(limit=2)
    assert backlog.put(0, "sure", sure=True) is None
    assert [backlog.put(seq, f"unsure {seq}", sure=False) for seq in (1, 2)] == [None, None]
    assert backlog.put(3, "unsure 3", sure=False) == "unsure 1"
    assert [backlog.take() for _ in range(len(backlog))] == ["sure", "unsure 2", "unsure 3"]
    assert not backlog


def test_what_is_put_back_comes_first_again() -> None:
    backlog: Backlog[int] = Backlog()
    for seq in range(5):
        backlog.put(seq, seq, sure=seq % 2 == 0)
    taken = [backlog.take(), backlog.take()]
    for seq in reversed(taken):
        backlog.put(seq, seq, sure=seq % 2 == 0)
    assert [backlog.take() for _ in range(5)] == [0, 1, 2, 3, 4]


def test_the_pace_doubles_per_round_while_answers_are_prompt() -> None:
    pace = Pace()
    for seq in range(63):
        pace.answered(seq, 0.01, seq)
    assert pace.limit == 64
    for seq in range(5000):
        pace.answered(seq, 0.01, seq)
    assert pace.limit == CEILING


def test_the_pace_halves_once_per_round_when_events_had_to_wait() -> None:
    pace = Pace()
    for seq in range(99):
        pace.answered(seq, 0.0, seq)
    for seq in range(99, 199):
        pace.answered(seq, 2.0, 198)
    assert pace.limit == 50
    pace.answered(199, 2.0, 250)
    assert pace.limit == 25


def test_packed_properties_are_those_that_paho_packs() -> None:
    theirs = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    theirs.ContentType = "text/plain"
    theirs.CorrelationData = b"\0\xff"
    theirs.UserProperty = [("function", "设备" * 40)]
    ours = Packed(pack("text/plain", [("function", "设备" * 40)], b"\0\xff"))
    assert ours.pack() == theirs.pack()  # type: ignore[no-untyped-call]


FAILURE = Failure("r1", "echo", Event(b""), FunctionRaisedError("ValueError", "no", []))


def test_a_function_that_always_fails_does_not_flood_the_log_and_all_is_said_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scene() -> None:
        log = FailureLog()
        for _ in range(1000):
            log(FAILURE)
        assert len(caplog.messages) == 1
        log.close()

    with caplog.at_level(logging.WARNING):
        play(scene())
    first, last = caplog.messages
    assert "rule r1" in first and first.endswith("ValueError: no")
    assert last.endswith("ValueError: no (and 998 more before)")


def test_failures_are_said_though_no_other_one_follows(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures_module, "INTERVAL", 0.01)

    async def scene() -> None:
        log = FailureLog()
        for _ in range(3):
            log(FAILURE)
        await until(lambda: len(caplog.messages) == 2, "they are said")
        await until(lambda: not log._quiet, "nothing is pending")
        log.close()

    with caplog.at_level(logging.WARNING):
        play(scene())
    assert len(caplog.messages) == 2 and caplog.messages[1].endswith("(and 1 more before)")
