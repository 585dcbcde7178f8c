"""The functions' logs in the management API."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from itertools import accumulate, islice, takewhile

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from host.access.gate import actor_of
from host.deployment.catalog import Catalog
from host.logs.matcher import Matcher, PatternError, TooBusyError
from host.logs.query import LEVELS, Query, Search, parse_since
from host.logs.recent_lines import cost_of
from host.logs.store import LogStore
from host.web.bodies import json_line
from host.web.numbers import query_flag, query_number
from host.web.places import Places
from runtime.loglines import LogLine

DEFAULT_TAIL, MAX_TAIL = 100, 2000
CHUNK = 64 * 1024
"""Bytes of an answer that are written at a time."""
TAIL_ROOM = 2 * 1024 * 1024
"""Bytes of lines that wait for who follows, and perhaps does not read."""


class LogsApi:
    """One endpoint; so many follow at a time, and so many look for patterns, which takes a process."""

    def __init__(self, catalog: Catalog, logs: LogStore) -> None:
        self._catalog = catalog
        self._logs = logs
        self._followers = Places(
            64, 16, "too many logs are followed just now; end one of yours, or try again"
        )
        # Who follows keeps a place for hours: these are not those of searches, which are over soon.
        self._following_patterns = Places(
            4, 2, "too many follow logs by a pattern just now; follow by plain text, or without --grep"
        )
        self._searches = Places(2, 2, "too many look for patterns in logs just now; try again")
        # A search takes some ten MiB: one at a time.
        self._turn = asyncio.Semaphore(1)

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/functions/{name}/logs", self.read, methods=["GET"])]

    async def read(self, request: Request) -> Response:
        """The newest lines that are wanted of a function's log, and with `follow=1` those that come."""
        name = self._catalog.get(request.path_params["name"]).name
        asked = query_number(request, "tail")
        tail = DEFAULT_TAIL if asked is None else min(MAX_TAIL, asked)
        follow, query = query_flag(request, "follow"), read_query(request, name)
        async with AsyncExitStack() as stack:
            matcher = Matcher(query.pattern)
            for places in self._needed(matcher, follow):
                stack.enter_context(places.take(_caller(request)))
            stack.push_async_callback(matcher.close)
            search = Search(self._logs, name, query, matcher)
            with _told():
                await matcher.open()
                found = await self._find(search, tail, follow)
            return _Lines(_write(found, search if follow else None), stack.pop_all())

    def _needed(self, matcher: Matcher, follow: bool) -> Iterator[Places]:
        if follow:
            yield self._followers
        if matcher.needs_process:
            yield self._following_patterns if follow else self._searches

    async def _find(self, search: Search, tail: int, follow: bool) -> deque[LogLine]:
        async with nullcontext() if search.is_quick else self._turn:
            found = deque(await search.find(tail, follow))
        return _newest_fitting(found) if follow else found


class _Lines(StreamingResponse):
    """Closes what it needed, however it ends."""

    def __init__(self, lines: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with self._stack:
            await super().__call__(scope, receive, send)


async def _write(found: deque[LogLine], search: Search | None) -> AsyncIterator[bytes]:
    while found:
        yield await asyncio.to_thread(_take_chunk, found)
    if search is not None:
        try:
            async for line in search.follow():
                yield json_line(line.view())
        except PatternError as error:
            yield json_line(LogLine(time.time(), "error", "", "", str(error)).view())


def _take_chunk(lines: deque[LogLine]) -> bytes:
    chunk = bytearray()
    while lines and len(chunk) < CHUNK:
        chunk += json_line(lines.popleft().view())
    return bytes(chunk)


def _newest_fitting(lines: deque[LogLine]) -> deque[LogLine]:
    """The newest that have room, and before them how many have none."""
    sizes = accumulate(map(cost_of, reversed(lines)))
    fitting = sum(1 for _ in takewhile(lambda size: size <= TAIL_ROOM, sizes))
    left_out = len(lines) - fitting
    if not left_out:
        return lines
    text = f"{left_out} older lines are left out here; without `follow` you get them"
    note = LogLine(time.time(), "warning", "", lines[0].revision, text)
    return deque([note, *islice(lines, left_out, None)])


def _caller(request: Request) -> str:
    actor = actor_of(request)
    return f"{actor.name} {actor.peer}"


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TooBusyError as error:
        raise HTTPException(503, str(error)) from None
    except PatternError as error:
        raise HTTPException(400, str(error)) from None


def read_query(request: Request, function: str) -> Query:
    """What is asked for; raises HTTPException (400)."""
    told = request.query_params
    since, level = told.get("since"), told.get("level", "")
    if level and level not in LEVELS:
        raise HTTPException(400, f"level is one of {', '.join(LEVELS)}, not {level[:40]!r}")
    revision = query_number(request, "revision")
    try:
        return Query(
            since=parse_since(since, time.time()) if since is not None else 0.0,
            level=level,
            invocation=told.get("invocation", ""),
            revision=f"{function}@{revision}" if revision is not None else "",
            pattern=told.get("grep", ""),
        )
    except ValueError as error:
        raise HTTPException(400, f"since: {error}") from None
