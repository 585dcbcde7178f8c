"""A bridge between a real HTTP source and a real broker."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runtime.ratelimit import RateLimit
from tests.bridge.source import Source
from tests.brokers import MakeMosquitto, Mosquitto, free_port
from tests.mqtt.clients import Device, device, play, until
from triggers.bridge.bridge import Bridge
from triggers.bridge.plan import BridgePlan, SourcePlan, TargetPlan

TOPIC = "/in/设备"
MIB = 1024 * 1024


def fast() -> RateLimit:
    return RateLimit(1, 0.001)


def at_most(count: int) -> RateLimit:
    """So many and then none for as long as a test lasts."""
    return RateLimit(count, 100_000.0 * count)


@asynccontextmanager
async def bridging(source: Source, *urls: str, **more: Any) -> AsyncIterator[Bridge]:
    target = TargetPlan(urls, TOPIC, "bridge", more.get("qos", 1))
    plan = BridgePlan("cars", SourcePlan(source.url, more.get("verb", "GET")), target)
    bridge = Bridge(plan, more.get("rate") or fast())
    await bridge.setup()
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.stop()


def numbers(listener: Device) -> list[int]:
    return [json.loads(payload)["n"] for payload in listener.payloads()]


def is_gapless(found: list[int]) -> bool:
    return found == list(range(found[0], found[0] + len(found)))


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_each_record_is_published_byte_for_byte_in_order(
    source: Source, mosquitto: Mosquitto, qos: int
) -> None:
    bodies = [b'{"n": 0}\n', "设备\r\n\n".encode(), b"\x00\xff", b"0", b" "]
    source.reply = lambda number: (200, bodies[number])

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen(TOPIC, 2)
            async with bridging(source, mosquitto.url, qos=qos, rate=at_most(5)) as bridge:
                await until(lambda: len(listener.heard) == 5, "all came")
                await until(lambda: bridge.state().published == 5, "all are confirmed")
            assert listener.payloads() == bodies
            assert {(message.qos, message.retain) for message in listener.heard} == {(qos, False)}

    play(scene())
    assert source.verbs == ["GET"] * 5


def test_no_more_is_asked_for_than_the_rate_allows(source: Source, mosquitto: Mosquitto) -> None:
    rate = at_most(3)

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen(TOPIC)
            async with bridging(source, mosquitto.url, verb="POST", rate=rate):
                await until(lambda: len(listener.heard) == 3, "three came")
                assert rate.take() > 1000

    play(scene())
    assert source.verbs == ["POST"] * 3


def test_a_source_that_is_down_is_told_once_and_waited_for(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source()

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen(TOPIC)
            async with bridging(source, mosquitto.url) as bridge:
                await until(lambda: bridge._backoff.failures >= 3, "it was tried three times")
                assert bridge.state().source_error
                source.start()
                await until(lambda: len(listener.heard) >= 3, "records come")
                assert bridge.state().source_error is None

    with caplog.at_level(logging.INFO):
        play(scene())
    source.stop()
    told = [record.message for record in caplog.records if record.name == "triggers.bridge.bridge"]
    assert len(told) == 2
    assert f"{source.url}: Connection refused; trying again until it works" in told[0]
    assert "answers again" in told[1]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [((503, b"later"), "it answered with HTTP 503"), ((200, b"x" * (6 * MIB + 1)), "more than 6 MiB")],
)
def test_what_is_no_record_is_not_published(
    source: Source, mosquitto: Mosquitto, reply: tuple[int, bytes], reason: str
) -> None:
    source.reply = lambda number: reply if number == 0 else (200, b"good")

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen(TOPIC)
            async with bridging(source, mosquitto.url, rate=at_most(2)) as bridge:
                await until(lambda: reason in (bridge.state().source_error or ""), "it is refused")
                await until(lambda: len(listener.heard) == 1, "the next one comes")
            assert listener.payloads() == [b"good"]

    play(scene())


def test_an_empty_answer_is_no_record(source: Source, mosquitto: Mosquitto) -> None:
    source.reply = lambda number: (200, b"") if number < 3 else (200, b"good")

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen(TOPIC)
            async with bridging(source, mosquitto.url, rate=at_most(4)):
                await until(lambda: len(listener.heard) == 1, "the record comes")
            assert listener.payloads() == [b"good"]

    play(scene())


def test_records_wait_for_a_broker_that_is_restarted(source: Source, make_mosquitto: MakeMosquitto) -> None:
    broker = make_mosquitto(persistence=True)

    async def scene() -> None:
        listener = Device(broker, client_id="listener")
        await listener.listen(TOPIC)
        async with bridging(source, broker.url) as bridge:
            await until(lambda: len(listener.heard) >= 10, "records come")
            broker.stop()
            away = len(source.verbs)
            await until(lambda: len(source.verbs) >= away + 50, "the source is asked on")
            assert not bridge.state().connected
            broker.start()
            await until(lambda: len(set(numbers(listener))) >= away + 50, "they come after all")
        seen = list(dict.fromkeys(numbers(listener)))
        assert is_gapless(seen)
        listener.close()

    play(scene())


def test_the_next_address_is_tried_when_one_is_down(source: Source, mosquitto: Mosquitto) -> None:
    nowhere = f"tcp://127.0.0.1:{free_port()}"

    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen(TOPIC)
            async with bridging(source, nowhere, mosquitto.url):
                await until(lambda: len(listener.heard) >= 1, "a record comes")

    play(scene())


def test_beyond_its_bounds_the_oldest_records_give_way_and_are_counted(
    source: Source, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    mosquitto.stop()
    source.reply = lambda number: (200, b"%03d" % number + b"." * (MIB - 3))

    async def scene() -> None:
        async with bridging(source, mosquitto.url, rate=at_most(30)) as bridge:
            await until(lambda: bridge.state().dropped == 10, "ten gave way")
            mosquitto.start()
            await until(lambda: bridge.state().published == 20, "the others are published")
            await until(lambda: "10 records were dropped" in caplog.text, "it is told")
            assert bridge.state().waiting == 0

    play(scene())
    assert caplog.text.count("the buffer is full") == 1


def test_stopping_publishes_what_was_read(source: Source, mosquitto: Mosquitto) -> None:
    async def scene() -> None:
        with device(mosquitto) as listener:
            await listener.listen(TOPIC)
            async with bridging(source, mosquitto.url) as bridge:
                await until(lambda: len(source.verbs) >= 20, "records come")
            state = bridge.state()
            assert state.waiting == 0
            await until(lambda: len(listener.heard) == state.published, "all that were read")
            assert is_gapless(numbers(listener))

    play(scene())


def test_stopping_with_nobody_there_ends_and_says_what_is_lost(
    source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with bridging(source, f"tcp://127.0.0.1:{free_port()}", rate=at_most(2)) as bridge:
            await until(lambda: bridge.state().waiting == 2, "two were read")

    play(scene())
    assert "bridge cars: 2 records are not published" in caplog.text


def test_a_password_in_the_address_of_a_source_is_not_logged(
    mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source()
    source.url = source.url.replace("http://", "http://someone:hush@") + "?token=hush"

    async def scene() -> None:
        async with bridging(source, mosquitto.url) as bridge:
            await until(lambda: bridge.state().source_error is not None, "it is down")
            assert "hush" not in repr(bridge.plan)

    play(scene())
    assert "hush" not in caplog.text


def test_two_bridges_share_the_limit_that_both_are_given(source: Source, mosquitto: Mosquitto) -> None:
    rate = at_most(4)

    async def scene() -> None:
        target = TargetPlan((mosquitto.url,), TOPIC, "")
        bridges = [Bridge(BridgePlan(name, SourcePlan(source.url), target), rate) for name in ("a", "b")]
        for bridge in bridges:
            await bridge.setup()
            await bridge.start()
        await until(lambda: sum(bridge.state().published for bridge in bridges) == 4, "four in all")
        await asyncio.gather(*(bridge.stop() for bridge in bridges))

    play(scene())
    assert len(source.verbs) == 4
