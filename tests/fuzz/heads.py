"""Fuzzes the short way past the parser of HTTP: requests mean there what they mean to the parser."""

import asyncio
import itertools
import re
from typing import Any

import uvicorn
from hypothesis import strategies as st
from uvicorn.server import ServerState

from conf.address import Address
from conf.models import Config
from host.web.bounds import bounds_of
from host.web.crowd import Crowd
from host.web.front_door import FrontDoor
from host.web.known_heads import KnownHeads
from host.web.origin_check import OriginCheck
from host.web.whole_answer import Grounds, WholeAnswerProtocol
from runtime.events import Answer, Event
from tests.fuzz.target import Target
from triggers.asgi import Receive, Scope, Send
from triggers.http import Caller, Checks, HttpTrigger
from triggers.invocations.wish import Wish
from triggers.store.rows import Invocation

MOST_BODY = 200
TURNS = 12
"""Of the event loop, after which what can be answered is answered."""
ALWAYS_NEW = re.compile(rb"[0-9a-f]{32}|date: [^\r]*\r\n")

LINES = st.sampled_from(
    [
        b"POST /invoke/f HTTP/1.1",
        b"POST /invoke/f?a=1 HTTP/1.1",
        b"POST /invoke/f HTTP/1.0",
        b"post /invoke/f HTTP/1.1",
        b"POST /invoke/%66 HTTP/1.1",
        b"POST http://x/invoke/f HTTP/1.1",
        b"GET /invoke/f HTTP/1.1",
        b"POST  /invoke/f HTTP/1.1",
        b"POST /invoke/f#x HTTP/1.1",
        b"POST /invoke/\xff HTTP/1.1",
        b"POST /invoke/f HTTP/1.1 ",
        b"PRI * HTTP/2.0",
    ]
)
VALUES = st.sampled_from(
    [
        b"application/json",
        b"text/plain",
        b"a\tb",
        b"",
        b"\xe9",
        b"a\0b",
        b"a\rb",
        b"a\nb",
        b"a\r\n b",
        b"x" * 300,
    ]
)
NAMES = st.sampled_from(
    [
        b"Content-Type",
        b"content-type",
        b"X-Request-Id",
        b"X-A",
        b"X-A ",
        b" X-A",
        b"X\xe9",
        b"X\0",
        b"",
        b"Authorization",
        b"Accept",
    ]
)
SEPARATORS = st.sampled_from([b": ", b": ", b": ", b":", b" : ", b":\t", b"=", b":  "])
ENDS = st.sampled_from([b"\r\n"] * 8 + [b"\n", b"\r", b"\r\r\n"])
FRAMING = st.sampled_from(
    [b"Content-Length: %d\r\n"] * 10
    + [
        b"Content-Length: %d\r\nContent-Length: %d\r\n",
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: +%d\r\n",
        b"Content-Length: %d, %d\r\n",
        b"content-length:%d\r\n",
        b"Content-Length: %d \r\n",
        b"",
        b"Content-Length : %d\r\n",
        b"Content-Length: 0x%d\r\n",
        b"Content-Length: 0%d\r\n",
        b"Content-Length: -%d\r\n",
        b"Content-Length: %d\r\nConnection: close\r\n",
        b"Content-Length: %d\r\nExpect: 100-continue\r\n",
        b"Content-Length: %d\r\nUpgrade: x\r\nConnection: upgrade\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 9999999999%d\r\n",
        b"Content-Length: %d\r\nTransfer-Encoding: x\r\n",
    ]
)
HEADER = st.tuples(NAMES, SEPARATORS, VALUES, ENDS).map(b"".join)
HEADS = st.tuples(
    st.just(b"POST /invoke/f HTTP/1.1") | LINES,
    st.just(b"\r\n") | ENDS,
    st.lists(st.just(b"Host: 127.0.0.1\r\n") | HEADER, max_size=3).map(b"".join),
    FRAMING,
).map(b"".join)
REQUESTS = st.tuples(HEADS, st.binary(max_size=12), st.sampled_from([0, 0, 0, 0, 1, -1]))
SPLITS = st.lists(st.integers(1, 200), max_size=3)
CASES = st.tuples(REQUESTS, st.lists(REQUESTS, max_size=2), SPLITS)


class Wire(asyncio.Transport):
    """A caller's connection that only keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """All is here already."""

    def resume_reading(self) -> None:
        """All is here already."""


class NeverKnown(KnownHeads):
    """Leaves every request to the parser."""

    def find(self, head: bytes) -> Caller | None:
        return None


class Side:
    """A server's end of a connection, and the events that came through it."""

    def __init__(self, knows: type[KnownHeads]) -> None:
        self.events: list[tuple[str, bytes, str | None, bytes]] = []
        trigger = HttpTrigger(self._dispatch, MOST_BODY, self._accept, Checks())
        settings, loop = Config(), asyncio.get_running_loop()
        origin_check = OriginCheck(settings.web, Address("127.0.0.1", 0))
        grounds = Grounds(knows(trigger, origin_check.is_plain), Crowd(bounds_of(settings.limits), loop.time))
        door = FrontDoor(trigger, _no_api, origin_check)
        config = uvicorn.Config(door, log_config=None, lifespan="off", interface="asgi3")
        config.load()
        self.wire = Wire()
        self.protocol = WholeAnswerProtocol(grounds, config, ServerState(), {}, loop)
        self.protocol.connection_made(self.wire)

    def _dispatch(self, target: str, event: Event) -> "asyncio.Future[Answer]":
        self.events.append((target, event.body, event.content_type, event.metadata()))
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        future.set_result(Answer(event.body, revision="f@1"))
        return future

    async def _accept(self, target: str, event: Event, wish: Wish) -> Invocation:
        raise AssertionError("nobody asks for it")

    def told(self) -> tuple[object, ...]:
        """All that a caller could see of it, and the function."""
        return ALWAYS_NEW.sub(b"", self.wire.written), self.wire.closed, self.events

    async def take(self, data: bytes) -> None:
        """Some bytes come in."""
        if not self.wire.closed:
            self.protocol.data_received(data)
        for _ in range(TURNS):
            await asyncio.sleep(0)


async def _no_api(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


def check_requests(case: Any) -> None:
    """A server that knows heads and one that parses all of them answer alike."""
    asyncio.run(_compare(*case))


async def _compare(first: Any, others: list[Any], splits: list[int]) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: faults.append(context))
    sides = Side(KnownHeads), Side(NeverKnown)
    for request in (first, first, first, *others, first):
        data = _spell(request)
        cuts = sorted({0, *(cut for cut in splits if cut < len(data)), len(data)})
        for start, stop in itertools.pairwise(cuts):
            for side in sides:
                await side.take(data[start:stop])
        assert sides[0].told() == sides[1].told()
    for side in sides:
        side.protocol.connection_lost(None)
    assert not faults, faults


def _spell(request: tuple[bytes, bytes, int]) -> bytes:
    head, body, lie = request
    length = max(0, len(body) + lie)
    return head.replace(b"%d", b"%d" % length) + b"\r\n" + body


TARGETS = (Target("requests with known heads", CASES, check_requests, 60),)
