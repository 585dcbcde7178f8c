"""Events as HTTP requests over connections that are kept open: ten times what a general client sends."""

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import cast
from urllib.parse import quote, urlsplit

import httptools

from host.load.sender import MARK, Done, SenderError

LONGEST_PROBLEM = 64 * 1024
CONNECT_SECONDS = 5.0
LOST = "connection lost"
UNREACHABLE = "no connection"


@dataclass(frozen=True)
class Place:
    """Where the requests go, and the one that is sent each time."""

    host: str
    port: int
    tls: SSLContext | None
    request: bytes = field(repr=False)


def place_of(
    url: str, target: str, event: tuple[bytes, str | None], authorization: str | None = None
) -> Place:
    """The function `target` of the host at `url`, which was checked; `event` is body and content type."""
    parts = urlsplit(url)
    body, content_type = event
    secure = parts.scheme == "https"
    head = [
        f"POST {parts.path.rstrip('/')}/invoke/{quote(target, safe='@')} HTTP/1.1",
        f"host: {parts.netloc.rpartition('@')[2]}",
        f"{MARK}: 1",
        f"content-length: {len(body)}",
        *([f"content-type: {content_type}"] if content_type else []),
        *([f"authorization: {authorization}"] if authorization else []),
    ]
    request = "\r\n".join([*head, "", ""]).encode() + body
    return Place(
        parts.hostname or "", parts.port or (443 if secure else 80), _tls() if secure else None, request
    )


def _tls() -> SSLContext:
    import ssl

    return ssl.create_default_context()


class HttpSender:
    """Has at most `most` requests under way, one on each connection; the others wait here."""

    def __init__(self, place: Place, most: int) -> None:
        self._place = place
        self._most = most
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._waiting: deque[Done] = deque()
        self._opening: set[asyncio.Task[None]] = set()
        self.problem = b""
        self._refused = ""

    async def open(self) -> None:
        """Connect once; raises SenderError."""
        await self._connect()
        if not self._all:
            place = f"{self._place.host}:{self._place.port}"
            raise SenderError(f"no connection to {place} ({self._refused}); say where the host is with --url")

    async def close(self) -> None:
        """Hang up; requests under way are taken back by the host if they have not begun."""
        await self.settle(0)
        await asyncio.gather(*self._opening)
        for connection in self._all:
            connection.abort()
        while self._all:  # noqa: ASYNC110 - each is gone in the loop's next turn
            await asyncio.sleep(0)

    def send(self, done: Done) -> None:
        """As of Sender."""
        if self._idle:
            self._idle.pop().ask(self._place.request, done)
            return
        self._waiting.append(done)
        self._grow()

    async def settle(self, patience: float) -> bool:
        """Forget what is not answered: the host takes events back whose caller hangs up."""
        self._waiting.clear()
        for connection in [each for each in self._all if each.busy]:
            connection.abort()
        return True

    def explain(self, wrong: str) -> str:
        """The detail of the last problem (RFC 9457) that the host told."""
        if wrong == UNREACHABLE:
            return f"no connection: {self._refused}"
        with contextlib.suppress(ValueError):
            told = json.loads(self.problem)
            if isinstance(told, dict) and (detail := told.get("detail") or told.get("title")):
                return str(detail)
        return f"the function answered with HTTP {wrong}" if wrong.isdecimal() else wrong or "no answer came"

    def free(self, connection: "Connection") -> None:
        """The connection's request was answered, or it is new."""
        if self._waiting:
            connection.ask(self._place.request, self._waiting.popleft())
        else:
            self._idle.append(connection)

    def add(self, connection: "Connection") -> None:
        """The connection is open."""
        self._all.add(connection)
        self.free(connection)

    def lose(self, connection: "Connection") -> None:
        """The connection is closed."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._grow()

    def _grow(self) -> None:
        if len(self._opening) < len(self._waiting) and len(self._all) + len(self._opening) < self._most:
            task = asyncio.get_running_loop().create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: "asyncio.Task[None]") -> None:
        self._opening.discard(task)
        self._grow()

    async def _connect(self) -> None:
        place = self._place
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self), place.host, place.port, ssl=place.tls
                )
        except OSError as error:
            self._refused = error.strerror or str(error) or "nobody answers in time"
            if self._waiting:
                self._waiting.popleft()(UNREACHABLE)


class Connection(asyncio.Protocol):
    """One connection with one request under way at most; reads answers of any length, chunked ones too."""

    def __init__(self, owner: HttpSender) -> None:
        self._owner = owner
        self._done: Done | None = None
        self._problem = b""
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport

    @property
    def busy(self) -> bool:
        """Whether an answer is waited for."""
        return self._done is not None

    def ask(self, request: bytes, done: Done) -> None:
        """Send a request."""
        self._done = done
        self._transport.write(request)

    def abort(self) -> None:
        """Hang up, and tell nobody."""
        self._done = None
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not derived from it
        self._owner.add(self)

    def data_received(self, data: bytes) -> None:
        """asyncio's."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """asyncio's."""
        self._tell(LOST)
        self._owner.lose(self)

    def on_body(self, data: bytes) -> None:
        """httptools'; only what went wrong is kept."""
        if self._parser.get_status_code() >= 400 and len(self._problem) < LONGEST_PROBLEM:
            self._problem += data

    def on_message_complete(self) -> None:
        """httptools'."""
        status = self._parser.get_status_code()
        if self._done is None or status < 200:
            return  # an interim answer, or one to nothing
        if status >= 400:
            self._owner.problem, self._problem = self._problem, b""
        self._tell(str(status) if status >= 400 else "")
        if self._parser.should_keep_alive():
            self._owner.free(self)
        else:
            self._transport.close()

    def _tell(self, wrong: str) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(wrong)
