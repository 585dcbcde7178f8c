"""People publish and listen at a broker beside the rules; a connection's past says when it was there."""

from pathlib import Path

import pytest

from tests.brokers import MakeMosquitto, Mosquitto
from tests.mqtt.clients import Functions, broker_plan, device, echo, play, rule_plan, running, until
from triggers.mqtt.parcel import Parcel
from triggers.mqtt.plan import BrokerPlan, MqttPlan
from triggers.mqtt.spells import MOST, Spells
from triggers.mqtt.topics_seen import key_of
from triggers.mqtt.visit import VisitError


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_message_is_published_once_the_broker_has_it(mosquitto: Mosquitto, version: str) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto, version=version),), (rule_plan(),))
        with device(mosquitto) as line:
            await line.listen("plant/#", qos=2)
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                broker = trigger.brokers["b1"]
                for qos in (0, 1, 2):
                    parcel = Parcel("plant/t", b"\0\xff", qos, content_type="application/x-ours")
                    assert await trigger.visits.publish(broker, parcel) in (
                        "Success",
                        "No matching subscribers",
                    )
                await until(lambda: len(line.heard) == 3, "all three have come")
                topic = trigger.seen.find(key_of("b1", b"plant/t"))
                assert topic is not None and topic.sent == 3
        assert {bytes(each.payload) for each in line.heard} == {b"\0\xff"}
        if version == "5":
            assert {vars(each.properties)["ContentType"] for each in line.heard} == {"application/x-ours"}

    play(scene())


def test_what_a_broker_does_not_allow_is_said_in_words(make_mosquitto: MakeMosquitto, tmp_path: Path) -> None:
    rights = tmp_path / "rights"
    rights.write_text("topic readwrite open/#\n")
    broker = make_mosquitto(settings=(f"acl_file {rights}",))

    async def scene() -> None:
        plan = MqttPlan(
            (broker_plan(broker, version="5"), BrokerPlan("gone", "tcp://127.0.0.1:1")), (rule_plan(),)
        )
        async with running(plan, Functions(echo=echo).dispatch, wait=False) as trigger:
            visits, brokers = trigger.visits, trigger.brokers
            with pytest.raises(VisitError, match="would not take it: Not authorized"):
                await visits.publish(brokers["b1"], Parcel("closed/t", b"1"))
            with pytest.raises(VisitError, match="refused"):
                await visits.publish(brokers["gone"], Parcel("open/t", b"1"))
            for bad in ("a/#", "a/+/b", "", "$SYS/x"):
                with pytest.raises(ValueError, match=r"wildcard|empty|begins with"):
                    await visits.publish(brokers["b1"], Parcel(bad, b"1"))

    play(scene())


def test_who_listens_hears_what_no_rule_does_until_the_context_ends(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (rule_plan(),))
        with device(mosquitto) as line:
            line.say("plant/kept", b"old", retain=True)
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                broker, seen = trigger.brokers["b1"], trigger.seen
                async with trigger.visits.listen(broker, "plant/#") as listener:
                    line.say("plant/t", b"new")
                    await until(lambda: listener.ear.heard == 2, "both are heard")
                    kept = seen.find(key_of("b1", b"plant/kept"))
                    assert kept is not None and (kept.heard, kept.newest.flags) == (1, (1, True, False))
                line.say("plant/later", b"3")
                line.say("in/r1", b"1")
                await until(
                    lambda: seen.find(key_of("b1", b"in/r1")) is not None, "the rule has another event"
                )
                assert seen.find(key_of("b1", b"plant/later")) is None
                for bad in ("$share/g/plant/#", "a/#/b"):
                    with pytest.raises(ValueError, match=r"shared subscription|no topic filter"):
                        async with trigger.visits.listen(broker, bad):
                            pass

    play(scene())


def test_who_listens_is_told_when_the_broker_goes(make_mosquitto: MakeMosquitto) -> None:
    async def scene() -> None:
        broker = make_mosquitto()
        plan = MqttPlan((broker_plan(broker),), (rule_plan(),))
        async with running(plan, Functions(echo=echo).dispatch) as trigger:
            async with trigger.visits.listen(trigger.brokers["b1"], "#") as listener:
                broker.kill()
                await until(lambda: bool(listener.ended), "it says that it has ended")
            spells, state = trigger.spells()[0], trigger.state()[0]
            await until(lambda: not spells.now.connected, "the rule's connection is lost, too")
            connecting, up, lost = list(spells)[:3]
            assert (connecting.connected, up.connected, lost.connected) == (False, True, False)
            assert lost.why and connecting.since <= up.since <= lost.since
            broker.start()
            await until(lambda: spells.now.connected, "it is back")
            assert trigger.state()[0].since > state.since

    play(scene())


def test_attempts_that_fail_alike_are_one_spell_and_the_past_is_bounded() -> None:
    now = [0.0]
    spells = Spells(lambda: now[0])
    for _ in range(5):
        now[0] += 1
        spells.down("refused")
    assert [(each.since, each.why, each.attempts, each.at) for each in spells] == [(0.0, "refused", 5, 5.0)]
    spells.down("x" * 10_000)
    assert spells.now.since == 5.0 and len(spells.now.why) < 1000
    for _ in range(MOST):
        spells.up()
        spells.down("lost")
    assert len(list(spells)) == MOST
