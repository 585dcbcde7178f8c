"""A real web part, with a function made of test code behind it, and callers on raw sockets."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvloop

from conf.address import Address
from conf.models import Config
from conf.settings import Settings
from host.web.front_door import FrontDoor
from host.web.known_heads import KnownHeads
from host.web.origin_check import OriginCheck
from host.web.server import Door, WebPart
from host.web.whole_answer import WholeAnswerProtocol
from runtime.events import Answer, Event, Foresee
from triggers.asgi import Receive, Scope, Send
from triggers.http import Checks, HttpTrigger
from triggers.invocations.wish import Wish
from triggers.store.rows import Invocation

PATIENCE = 90.0


class CountingTrigger(HttpTrigger):
    """Knows how many requests the parser has read."""

    parsed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.parsed += 1
        await super().__call__(scope, receive, send)


class Front:
    """The web part; `events` are what was dispatched to `targets`, each with the future of its answer.

    `answer`, if there is one, is called for each event: it returns an Answer, or raises.
    """

    def __init__(self, answer: Callable[[Event], Answer] | None, config: Config) -> None:
        self.events: list[tuple[Event, asyncio.Future[Answer]]] = []
        self.targets: list[str] = []
        self.kept: list[Event] = []
        self.callers: list[Connection] = []
        self._answer = answer
        self.foresee: Foresee = lambda target, event: None
        checks = Checks(foresee=lambda target, event: self.foresee(target, event))
        self.trigger = CountingTrigger(self._dispatch, 1 << 20, self._accept, checks)
        settings = Settings("127.0.0.1", 0, Path("/"), False, config, None)
        self.origin_check = OriginCheck(config.web, Address("127.0.0.1", 0))
        self.heads = KnownHeads(self.trigger, self.origin_check.is_plain)
        door = FrontDoor(self.trigger, self._no_api, self.origin_check)
        self.web = WebPart(Door(door, self.heads, None), settings)

    def _dispatch(self, target: str, event: Event) -> "asyncio.Future[Answer]":
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.events.append((event, future))
        self.targets.append(target)
        if self._answer is not None:
            future.set_result(self._answer(event))
        return future

    async def _accept(self, target: str, event: Event, wish: Wish) -> Invocation:
        self.kept.append(event)
        return Invocation(event.id, target, "waiting", 0.0, 0.0)

    async def _no_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("nobody asks the API")

    @property
    def connections(self) -> list[WholeAnswerProtocol]:
        """The server's ends."""
        ends = self.web._server.server_state.connections
        return [each for each in ends if isinstance(each, WholeAnswerProtocol)]

    async def connect(self) -> "Connection":
        """A caller."""
        port = int(self.web.address.rpartition(":")[2])
        caller = Connection(*await asyncio.open_connection("127.0.0.1", port))
        self.callers.append(caller)
        return caller

    async def dispatched(self, count: int) -> "asyncio.Future[Answer]":
        """The future of the event that makes so many, when it is here."""
        await until(lambda: len(self.events) >= count)
        return self.events[count - 1][1]


class Connection:
    """One caller's end, read an answer or a chunk at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def ask(self, request: bytes) -> bytes:
        """Send a request, and return its answer."""
        self.writer.write(request)
        return await self.answer()

    async def head(self) -> bytes:
        """The head of the next answer, without the date."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        return re.sub(rb"date: [^\r]*\r\n", b"", head)

    async def answer(self) -> bytes:
        """The next answer, whose head tells its length."""
        head = await self.head()
        length = re.search(rb"content-length: (\d+)", head)
        return head + await self.reader.readexactly(int(length[1]) if length else 0)

    async def chunk(self) -> bytes:
        """The next chunk; empty: the last."""
        size = int(await asyncio.wait_for(self.reader.readline(), PATIENCE), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    async def rest(self) -> bytes:
        """All until the server hangs up."""
        return await asyncio.wait_for(self.reader.read(), PATIENCE)

    def hang_up(self) -> None:
        """Close without a word."""
        self.writer.transport.abort()


def post(body: bytes, *headers: bytes, version: bytes = b"1.1", target: bytes = b"f") -> bytes:
    """A request with an id, so that its answer is the same each time."""
    lines = [b"POST /invoke/%b HTTP/%b" % (target, version), b"Host: localhost", b"X-Request-Id: r1"]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), *headers, b"", body])


async def until(true: Callable[[], object]) -> None:
    """Wait until something is so, or fail."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - what it waits for is no one's to tell
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def _running(answer: Callable[[Event], Answer] | None, config: Config) -> AsyncIterator[Front]:
    front = Front(answer, config)
    await front.web.setup()
    await front.web.start()
    try:
        yield front
    finally:
        for caller in front.callers:
            caller.hang_up()
        await front.web.stop()


def with_front(
    scenario: Callable[[Front], Awaitable[None]],
    answer: Callable[[Event], Answer] | None = None,
    config: Config | None = None,
) -> None:
    """Run the scenario beside a web part, in one event loop such as the host's."""

    async def run() -> None:
        async with _running(answer, config or Config()) as front:
            await scenario(front)

    uvloop.run(run())
