"""What a rule looks at: flow, repeats, keys and devices, and rows of an earlier life."""

from pathlib import Path
from typing import Any

import pytest

from tests.delivery.lanes import store_in
from tests.mqtt.clients import play, rule_plan
from tests.store.stores import event, letter, result
from triggers.mqtt import repeats as repeats_module
from triggers.mqtt.earlier import Earlier
from triggers.mqtt.flow import FIRST_PROBE, LONGEST_PROBE, USUAL, Flow
from triggers.mqtt.memory import Memory
from triggers.mqtt.messages import Delivery
from triggers.mqtt.plan import Care, Dedupe
from triggers.mqtt.repeats import Repeats
from triggers.mqtt.takers import UNREAD, Takers
from triggers.store.changes import AddEvents, AddLetters, AddResults
from triggers.store.rows import Source, digest_of


def fed(flow: Flow, count: int, now: float = 0.0) -> Flow:
    for outstanding in range(1, count + 1):
        flow.received(now, outstanding)
    return flow


def test_as_many_as_brokers_mostly_send_and_silence_look_like_a_broker_that_waits() -> None:
    flow = fed(Flow(), USUAL)
    assert not flow.is_held_back(0.15, 0.0, USUAL)
    assert flow.is_held_back(0.25, 0.0, USUAL)
    assert not flow.is_held_back(0.25, 0.0, USUAL - 1)


def test_while_messages_come_the_window_is_not_full_unless_the_oldest_is_a_second_old() -> None:
    flow = fed(Flow(), 100)
    flow.received(0.45, 101)
    assert not flow.is_held_back(0.5, 0.0, 101)
    assert flow.is_held_back(1.1, 0.0, 101)


def test_a_probe_finds_a_broker_that_sends_fewer() -> None:
    flow = fed(Flow(), 5)
    assert not flow.is_held_back(FIRST_PROBE - 1, 0.0, 5)
    assert flow.is_held_back(FIRST_PROBE + 1, 0.0, 5)
    fed(flow, 5, FIRST_PROBE + 1.1)
    assert flow.limit == 5 and flow.is_held_back(FIRST_PROBE + 2, FIRST_PROBE + 1.1, 5)


def test_a_slow_function_with_one_event_at_a_time_is_probed_ever_more_seldom() -> None:
    flow, now, probes = Flow(), 0.0, 0
    while now < 3600:
        born = now
        flow.received(now, 1)
        for _ in range(60):
            now += 0.1
            probes += flow.is_held_back(now, born, 1)
        # The next one comes long after the last was answered.
        now += 1.0
    assert flow.limit == USUAL and probes <= 14
    assert flow._wait == LONGEST_PROBE


def delivery(mid: int = 1) -> Delivery:
    return Delivery("t", b"{}", 1, session="b1/in", mid=mid, parts=1)


def test_of_events_with_one_key_the_first_is_taken_and_the_others_end_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("triggers.mqtt.repeats.time.time", lambda: now)
    repeats, first, second, third = Repeats(60), delivery(1), delivery(2), delivery(3)
    assert not repeats.is_repeat("k", first) and repeats.is_repeat("k", second)
    assert not second.done and list(repeats.finished()) == []
    first.part_done()
    assert second.done and list(repeats.finished()) == [("k", 1000.0)]
    assert repeats.is_repeat("k", third) and third.done
    now += 61
    assert not repeats.is_repeat("k", delivery(4))
    assert not repeats.is_repeat("other", delivery(5)) and len(repeats) == 2


def test_a_clock_that_is_set_back_makes_no_memory_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e6
    monkeypatch.setattr("triggers.mqtt.repeats.time.time", lambda: now)
    repeats = Repeats(60)
    repeats.learn("k", now)
    assert repeats.is_repeat("k", delivery())
    now -= 3600
    assert not repeats.is_repeat("k", delivery(2))


def test_so_many_keys_are_remembered_and_of_events_that_ended_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(repeats_module, "MOST", 10)
    repeats = Repeats(60)
    for number in range(25):
        each = delivery(number + 1)
        assert not repeats.is_repeat(f"{number}", each)
        each.part_done()
    assert [key for key, _ in repeats.finished()] == [f"{number}" for number in range(15, 25)]
    assert all(known is None for _, known in repeats._seen.values())


def takers(**care: Any) -> Takers:
    return Takers(rule_plan(care=Care(**care)))


def test_what_nobody_asks_for_is_not_read() -> None:
    assert takers().read(b"no JSON") is UNREAD
    assert takers(order="topic").read(b"no JSON") is UNREAD
    with pytest.raises(ValueError):
        takers(order="device").read(b"no JSON")


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ('{"a": {"b": "x"}}', "x"),
        ('{"a": {"b": 7}}', "7"),
        ('{"a": {"b": false}}', "false"),
        ('{"a": {"b": null}}', ""),
        ('{"a": {"b": []}}', ""),
        ('{"a": 1}', ""),
        ("[1]", ""),
    ],
)
def test_keys_are_dug_out_of_events(told: str, key: str) -> None:
    looking = takers(dedupe=Dedupe("a.b", 60), device="a.b", latest=True)
    event = looking.read(told.encode())
    assert looking.key_of(event) == looking.device_of(event) == key


def test_of_a_long_key_its_digest_is_remembered() -> None:
    looking = takers(dedupe=Dedupe("a", 60))
    long, other = (looking.key_of({"a": 300 * "é" + end}) for end in ("x", "y"))
    assert (len(long), long[:7], long != other) == (71, "sha256:", True)
    assert looking.key_of({"a": 256 * "é"}) == 256 * "é"
    assert looking.key_of({"a": 300 * "\ud800"}).startswith("sha256:")


SESSION = "b1/in"
LANE = "mqtt/b1/in/echo"


def source(mid: int, payload: bytes = b"x", session: str = SESSION) -> Source:
    return Source(session, mid, digest_of("t", payload))


def test_rows_tell_messages_until_the_first_new_one(tmp_path: Path) -> None:
    async def scene() -> None:
        rows = (event(1, lane=LANE, source=source(1)), event(2, lane=LANE, source=source(2)))
        async with store_in(tmp_path) as store:
            await store.submit(AddEvents(rows), AddLetters((letter(5, function="other"),)))
            await store.submit(
                AddResults((result(3, source=source(3), total=2), result(4, source=source(4))))
            )
        async with store_in(tmp_path) as store:
            earlier = Earlier(SESSION, store)
            assert earlier and not Earlier("b1/other", store)
            assert earlier.take(1, "t", b"x") == {"echo": (1,)}
            assert earlier.take(1, "t", b"x") == {}, "it is told once"
            assert earlier.take(2, "t", b"y") == {} == earlier.take(9, "t", b"x")
            assert earlier.take(3, "t", b"x") == {}, "one of two results is not all"
            assert earlier.take(4, "t", b"x") == {"industry": (4,)}
            earlier.forget()
            assert not earlier and earlier.take(2, "t", b"x") == {}
        async with store_in(tmp_path) as store:
            assert Earlier(SESSION, store).take(2, "t", b"x") == {}, "also after the next start"

    play(scene())


def test_a_rule_that_is_built_anew_believes_no_row_that_was_forgotten(tmp_path: Path) -> None:
    async def scene() -> None:
        async with store_in(tmp_path) as store:
            await store.submit(AddEvents((event(1, lane=LANE, source=source(1)),)))
        async with store_in(tmp_path) as store:
            memory = Memory(store)
            memory.earlier(SESSION).forget()
            assert not memory.earlier(SESSION)

    play(scene())


def test_what_rules_have_seen_is_read_at_the_next_start(tmp_path: Path) -> None:
    async def scene() -> None:
        async with store_in(tmp_path) as store:
            repeats, first, running = Repeats(60), delivery(1), delivery(2)
            assert not repeats.is_repeat("done", first) and not repeats.is_repeat("running", running)
            first.part_done()
            Memory(store).save([(SESSION, repeats), ("b1/none", None)])
        async with store_in(tmp_path) as store:
            memory, after = Memory(store), Repeats(60)
            await memory.recall()
            memory.teach(SESSION, after)
            assert after.is_repeat("done", delivery(3)) and not after.is_repeat("running", delivery(4))

    play(scene())
