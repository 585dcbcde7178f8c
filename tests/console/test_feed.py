"""The live feed: what is asked while somebody looks, what they are told, and what is bounded."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from host.access.scopes import ADMIN
from host.console.live.feed import (
    MOST_EACH,
    MOST_LOOKING,
    MOST_UNREAD,
    Feed,
    Looker,
    TooManyLookingError,
    UnknownChannelError,
)
from host.console.live.source import Source
from tests.access.test_hosts import make
from tests.hosts import RunningHost
from tests.mqtt.clients import until


class Counting(Source):
    """Tells how often it was asked, and notes who looks."""

    name = "count"
    every = 1
    items = True

    def __init__(self) -> None:
        self.asked = 0
        self.seen: list[str] = []

    def opened(self, item: str) -> None:
        if item == "nothing":
            raise KeyError(item)
        self.seen.append(f"+{item}")

    def closed(self, item: str) -> None:
        self.seen.append(f"-{item}")

    def begin(self, item: str) -> Any:
        return {"begin": item}

    def tell(self, item: str) -> Any:
        self.asked += 1
        return {"asked": self.asked}


class Failing(Source):
    """Fails whenever it is asked."""

    name = "failing"
    every = 1

    def begin(self, item: str) -> Any:
        return None

    def tell(self, item: str) -> Any:
        raise ValueError("not this time")


async def hear(
    feed: Feed, looker: Looker, enough: Callable[[list[tuple[str, Any]]], bool]
) -> list[tuple[str, Any]]:
    """What is told until that is enough: the events of the stream and what they hold."""
    heard: list[tuple[str, Any]] = []
    async for message in feed.listen(looker):
        event, data = message.decode().removesuffix("\n\n").split("\n")
        heard.append((event.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
        if enough(heard):
            break
    return heard


def test_a_source_is_asked_once_for_all_who_look_and_only_while_they_do() -> None:
    async def scene() -> None:
        source = Counting()
        feed = Feed([source])
        first, second = feed.enter(["count:工业"], "x"), feed.enter(["count:工业", "count:工业"], "x")
        one, two = await asyncio.gather(
            hear(feed, first, lambda heard: len(heard) > 5), hear(feed, second, lambda heard: len(heard) > 5)
        )
        assert [name for name, _ in one[:2]] == ["hello", "count:工业"] and one[1][1] == {"begin": "工业"}
        assert one[0][1]["boot"] == two[0][1]["boot"]
        told = [told["asked"] for name, told in one[2:] if name != "tick"]
        assert told == list(range(1, len(told) + 1)), "each was told what was asked once"
        feed.leave(first)
        assert source.seen == ["+工业"]
        feed.leave(second)
        feed.leave(second)
        assert source.seen == ["+工业", "-工业"]
        again = feed.enter(["count:b"], "x")
        asked = source.asked
        await until(lambda: source.asked > asked, "it is asked again")
        feed.leave(again)
        await feed.stop()

    asyncio.run(scene())


def test_one_source_that_fails_leaves_the_others_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        feed = Feed([Failing(), Counting()])
        looker = feed.enter(["failing", "count", "failing:x", "count:"], "x")
        heard = await hear(feed, looker, lambda heard: sum(name == "count" for name, _ in heard) > 3)
        gone = [told["channel"] for name, told in heard if name == "gone"]
        assert gone == ["failing:x", "count:"], "there is one channel where a source tells no items"
        await feed.stop()

    asyncio.run(scene())
    assert caplog.text.count("the live feed of failing: failed") == 1


def test_what_a_feed_holds_is_bounded() -> None:
    async def scene() -> None:
        source = Counting()
        feed = Feed([source])
        with pytest.raises(UnknownChannelError):
            feed.enter(["other"], "x")
        with pytest.raises(UnknownChannelError):
            feed.enter(["count:a", "other"], "x")
        assert source.seen == ["+a", "-a"], "what was begun is undone"
        looker = feed.enter(["count:nothing", "count:b"], "x")
        heard = await hear(feed, looker, lambda heard: len(heard) > 2)
        assert heard[1:] == [("gone", {"channel": "count:nothing"}), ("count:b", {"begin": "b"})]
        feed.leave(looker)
        assert source.seen[2:] == ["+b", "-b"]
        lookers = [feed.enter([], str(number % 4)) for number in range(MOST_LOOKING)]
        with pytest.raises(TooManyLookingError):
            feed.enter([], "x")
        for each in lookers[1:]:
            feed.leave(each)
        own = [feed.enter([], "0") for _ in range(MOST_EACH - 1)]
        with pytest.raises(TooManyLookingError, match="of yours"):
            feed.enter([], "0")
        for each in own:
            feed.leave(each)
        for _ in range(MOST_UNREAD + 1):
            lookers[0].tell(b"event: x\ndata: 1\n\n")
        assert await hear(feed, lookers[0], lambda heard: False) == [], "who does not read begins anew"
        feed.leave(lookers[0])
        open_page = feed.enter(["count"], "x")
        await feed.stop()
        assert await hear(feed, open_page, lambda heard: False) == []
        with pytest.raises(TooManyLookingError):
            feed.enter([], "x")

    asyncio.run(scene())


def test_the_feed_asks_for_a_right_and_an_open_page_does_not_hold_up_the_hosts_end(
    start_host: Callable[..., RunningHost],
) -> None:
    host = start_host()
    place = f"{host.url}/console/live"
    assert httpx.get(place, params={"channel": "metrics"}).status_code == 401
    invoker = make(host, "invoke:industry")["token"]
    with httpx.Client(headers={"authorization": f"Bearer {invoker}"}) as client:
        assert client.get(place, params={"channel": "metrics"}).status_code == 403
    with httpx.Client(
        headers={"authorization": f"Bearer {make(host, ADMIN)['token']}"}, timeout=60
    ) as client:
        assert client.get(place, params={"channel": "nothing"}).status_code == 404
        assert client.get(place, params={"channel": ["metrics"] * 17}).status_code == 400
        with client.stream("GET", place, params={"channel": "metrics"}) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: hello"
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert host.stop() == 0
