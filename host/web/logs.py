"""The functions' logs in the management API."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from host.deployment.catalog import Catalog
from host.logs.matcher import MOST_AT_ONCE, Matcher, PatternError
from host.logs.query import LEVELS, Query, Search, parse_since
from host.logs.store import LogStore
from host.web.bodies import json_line
from host.web.numbers import query_flag, query_number
from runtime.loglines import LogLine

DEFAULT_TAIL, MAX_TAIL = 100, 2000


class LogsApi:
    """One endpoint; at most so many of those who look for patterns are served at a time."""

    def __init__(self, catalog: Catalog, logs: LogStore) -> None:
        self._catalog = catalog
        self._logs = logs
        self._places = MOST_AT_ONCE
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
            matcher = await self._open(query.pattern, stack)
            search = Search(self._logs, name, query, matcher)
            found = await self._find(search, tail, follow)
            return _Lines(_write(found, search if follow else None), stack.pop_all())

    async def _find(self, search: Search, tail: int, follow: bool) -> list[LogLine]:
        try:
            async with self._turn:
                return await search.find(tail, follow)
        except PatternError as error:
            raise HTTPException(400, str(error)) from None

    async def _open(self, pattern: str, stack: AsyncExitStack) -> Matcher:
        matcher = Matcher(pattern)
        if matcher.needs_process:
            if not self._places:
                raise HTTPException(429, "too many look for patterns in logs just now; try again")
            self._places -= 1
            stack.callback(self._give_back)
            stack.push_async_callback(matcher.close)
        try:
            await matcher.open()
        except PatternError as error:
            raise HTTPException(400, str(error)) from None
        return matcher

    def _give_back(self) -> None:
        self._places += 1


class _Lines(StreamingResponse):
    """Closes what it needed, however it ends."""

    def __init__(self, lines: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
        super().__init__(lines, media_type="application/x-ndjson")
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with self._stack:
            await super().__call__(scope, receive, send)


async def _write(found: list[LogLine], search: Search | None) -> AsyncIterator[bytes]:
    for line in found:
        yield json_line(line.view())
    if search is not None:
        try:
            async for line in search.follow():
                yield json_line(line.view())
        except PatternError as error:
            yield json_line(LogLine(time.time(), "error", "", "", str(error)).view())


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
