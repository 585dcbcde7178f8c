"""`GET /api/metrics`: the history as columns of numbers, in JSON or as CSV."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from starlette import requests
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from host.observing.history.axis import Axis
from host.observing.history.history import History
from host.observing.history.request import Request, read_request
from host.observing.history.rows import Row
from host.observing.history.series import STEPS, Key, Series

NAMED = ("function", "instance")


class HistoryApi:
    """Its one endpoint."""

    def __init__(self, history: History, axis: Axis) -> None:
        self._history = history
        self._axis = axis

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/metrics", self.show, methods=["GET"])]

    async def show(self, request: requests.Request) -> Response:
        """The rows of the series that were asked for, one after the other: invocations go on meanwhile."""
        asked = read_request(request.query_params)
        now = self._axis.now()
        # The period in which it begins is told as a whole.
        begin = int(now - min(asked.since, STEPS[asked.step])) // asked.step * asked.step
        telling = Telling(asked, begin, now, self._axis.shift)
        found = list(self._history.find(asked.scope, asked.function, asked.instance))
        if asked.form == "csv":
            return StreamingResponse(telling.csv(found), media_type="text/csv; charset=utf-8")
        return StreamingResponse(telling.json(found), media_type="application/json")


class Telling:
    """One answer: times of the axis are told as seconds since the epoch."""

    def __init__(self, asked: Request, begin: int, now: float, shift: int) -> None:
        self._asked = asked
        self._begin = begin
        self._now = now
        self._shift = shift

    async def json(self, found: list[tuple[Key, Series]]) -> AsyncIterator[bytes]:
        """An object; `series` is its last key."""
        asked = self._asked
        columns = [{"name": each.name, "unit": each.unit, "kind": each.kind} for each in asked.columns]
        head = {
            "scope": asked.scope,
            "step": asked.step,
            "since": self._begin + self._shift,
            "now": round(self._now + self._shift, 3),
            "columns": columns,
        }
        yield json.dumps(head)[:-1].encode() + b', "series": ['
        separator = b""
        for key, series in found:
            rows = list(series.since(self._begin, asked.step))
            if rows:
                yield separator + self._series(key, rows)
                separator = b", "
                await asyncio.sleep(0)
        yield b"]}"

    def _series(self, key: Key, rows: list[Row]) -> bytes:
        times = [row[0] + self._shift for row in rows]
        values = {each.name: list(map(each.value, rows)) for each in self._asked.columns}
        told: dict[str, Any] = {"function": key.function or None, "instance": key.instance or None}
        return json.dumps({**told, "times": times, "values": values}, ensure_ascii=False).encode()

    async def csv(self, found: list[tuple[Key, Series]]) -> AsyncIterator[bytes]:
        """A line for each row (RFC 4180): its time, of what it is, and the columns with their units."""
        asked = self._asked
        named = NAMED[: ("host", "function", "instance").index(asked.scope)]
        yield _line(["time", *named, *(f"{each.name} ({each.unit})" for each in asked.columns)])
        for key, series in found:
            names = [getattr(key, name) for name in named]
            lines = []
            for row in series.since(self._begin, asked.step):
                at = datetime.fromtimestamp(row[0] + self._shift, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                lines.append(_line([at, *names, *(each.value(row) for each in asked.columns)]))
            if lines:
                yield b"".join(lines)
                await asyncio.sleep(0)


def _line(cells: list[Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()
