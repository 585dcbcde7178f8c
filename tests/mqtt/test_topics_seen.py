"""What passes over the host's connections is counted by topic, within bounds, and shown to who looks."""

from dataclasses import replace
from functools import partial

from tests.brokers import Mosquitto
from tests.mqtt.clients import Functions, broker_plan, device, echo, play, rule_plan, running, until
from triggers.mqtt.ear import MOST_A_SECOND, Ear, ListeningEar
from triggers.mqtt.packets import read_publish, write_publish
from triggers.mqtt.plan import MqttPlan
from triggers.mqtt.sighting import ROOM, WATCHED_ROOM
from triggers.mqtt.topics_seen import (
    AT_ONCE,
    LONGEST_NAME,
    MOST_MESSAGES,
    MOST_TOPICS,
    MOST_WATCHED,
    TopicSeen,
    TopicsSeen,
    key_of,
)
from triggers.mqtt.trigger import MqttTrigger


class Passing:
    """Topics that messages pass on, one a second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.seen = TopicsSeen(lambda: self.now)
        self.ears = {"rule": Ear(self.seen, "b1", "in"), "listening": ListeningEar(self.seen, "b1", "page")}

    def receive(self, topic: str, payload: bytes = b"1", ear: str = "rule") -> None:
        self.now += 1
        packet = write_publish(topic, payload, (1, False), (7, b""))
        message = read_publish((packet[0], packet[packet.index(topic.encode()) - 2 :]), version_5=False)
        assert message is not None
        self.ears[ear].received(message, len(packet))

    def find(self, topic: str) -> TopicSeen | None:
        return self.seen.find(key_of("b1", topic.encode()))


def test_the_topics_least_recently_seen_give_way_first_those_that_no_rule_has() -> None:
    passing = Passing()
    passing.receive("rule/old")
    passing.receive("watched", ear="listening")
    passing.seen.watch(key_of("b1", b"watched"))
    for number in range(MOST_TOPICS - 2):
        passing.receive(f"heard/{number}", ear="listening")
    passing.receive("one/more")
    assert len(passing.seen) == MOST_TOPICS - AT_ONCE + 1 and passing.seen.forgotten == AT_ONCE
    assert passing.find("rule/old") and passing.find("watched") and passing.find("one/more")
    assert not passing.find(f"heard/{AT_ONCE - 1}") and passing.find(f"heard/{AT_ONCE}")
    passing.receive("heard/0")
    assert passing.find("heard/0"), "it comes back when something passes on it"


def test_what_is_kept_is_bounded_and_more_is_kept_where_somebody_looks() -> None:
    passing = Passing()
    passing.receive("x" * (LONGEST_NAME + 1))
    assert len(passing.seen) == 0 and passing.seen.overlong.count == 1
    passing.receive("t", b"a" * 100_000)
    topic = passing.find("t")
    assert topic is not None and topic.messages is None
    assert (len(topic.newest.payload), topic.newest.size) == (ROOM, 100_000)
    passing.seen.watch(topic.key)
    for _ in range(MOST_MESSAGES + 3):
        passing.receive("t", b"b" * 100_000)
    assert topic.messages is not None and len(topic.messages) == MOST_MESSAGES
    assert {len(each.payload) for each in topic.messages} == {WATCHED_ROOM}
    assert topic.messages[-1].number == topic.count == MOST_MESSAGES + 4
    passing.seen.unwatch(topic.key)
    assert topic.messages is None


def test_topics_may_be_watched_before_they_are_seen_and_so_many_at_a_time() -> None:
    passing = Passing()
    for number in range(MOST_WATCHED + 1):
        passing.seen.watch(key_of("b1", b"t%d" % number))
        passing.receive(f"t{number}")
    kept = [each for each in passing.seen if each.messages is not None]
    assert len(kept) == MOST_WATCHED
    passing.seen.unwatch(kept[0].key)
    late = passing.find(f"t{MOST_WATCHED}")
    assert late is not None and late.messages is not None, "its turn comes when another is left"


def test_who_listens_notes_so_many_a_second_and_nothing_that_a_rule_has() -> None:
    passing = Passing()
    passing.receive("rule")
    passing.receive("rule", ear="listening")
    topic = passing.find("rule")
    assert topic is not None and (topic.received, topic.heard) == (1, 0)
    passing.seen.change_rules()
    passing.receive("rule", ear="listening")
    assert topic.heard == 1, "a rule that went has it no more"
    ear = passing.ears["listening"]
    assert isinstance(ear, ListeningEar)
    for number in range(MOST_A_SECOND + 9):
        passing.now = 100 - 1
        passing.receive(f"f/{number % 10}", ear="listening")
    assert (ear.left_out, ear.busiest) == (9, MOST_A_SECOND + 9)


def topic_of(trigger: MqttTrigger, name: str) -> TopicSeen | None:
    return trigger.seen.find(key_of("b1", name.encode()))


def counts(trigger: MqttTrigger, name: str) -> tuple[int, int]:
    topic = topic_of(trigger, name)
    return (topic.received, topic.sent) if topic is not None else (0, 0)


def test_events_and_results_are_seen_as_they_passed(mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        plan = MqttPlan((broker_plan(mosquitto),), (replace(rule_plan(), retained=True),))
        with device(mosquitto) as line:
            line.say("in/r1", b'{"t":1}', retain=True, properties={"ContentType": "application/json"})
            async with running(plan, Functions(echo=echo).dispatch) as trigger:
                is_seen = partial(counts, trigger)
                await until(
                    lambda: is_seen("in/r1") == (1, 0) and is_seen("out/r1") == (0, 1), "both are seen"
                )
                event, result = topic_of(trigger, "in/r1"), topic_of(trigger, "out/r1")
                assert event is not None and result is not None
                assert event.newest[2:5] == ("r1-in", "in", (1, True, False))
                assert (event.newest.payload, event.newest.size, event.newest.mid > 0) == (
                    b'{"t":1}',
                    7,
                    True,
                )
                assert event.newest.properties == {"ContentType": "application/json"}
                assert result.newest[2:5] == ("r1-out", "out", (1, False, False))
                told = result.newest.properties
                assert ("function", "echo") in told["UserProperty"]  # type: ignore[operator]
                trigger.seen.watch(event.key)
                line.say("in/r1", b"2", qos=0)
                await until(lambda: is_seen("in/r1") == (2, 0), "another has come")
                assert event.messages is not None
                assert [(each.payload, each.flags[0], each.mid > 0) for each in event.messages] == [
                    (b'{"t":1}', 1, True),
                    (b"2", 0, False),
                ]

    play(scene())
