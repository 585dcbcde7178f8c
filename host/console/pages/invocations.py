"""The pages `invocations` and, for one of them, `invocations/ID`."""

import time
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from host.console.ground import Ground
from host.console.live.invocations import InvocationsSource
from host.console.page import Page, Piece, Shown
from host.observing.records.sealing import View
from host.observing.records.store import Choice
from runtime.observations import RESULTS
from triggers.store.store import LetterQuery

PAGE = 50
PERIODS = {"15m": 900, "1h": 3600, "24h": 86400, "7d": 604800}
"""Seconds that one may look back; without one, all there is."""
TRIGGERS = ("http", "mqtt", "timer")
FILTERS = ("function", "result", "trigger", "since", "text")
FAILED = "failed"
"""Stands for any result but `ok`."""
LONGEST_TEXT = 200


def make(ground: Ground) -> Piece:
    """Both pages, and the channel that says what is new."""
    pages = InvocationPages(ground)
    parts = {"rows": pages.load_all, "more": pages.load_all}
    every = Page("invocations", pages.load_all, parts=parts)
    words = ("invocations", "waterfall", "outcome")
    one = Page("invocations", pages.load_one, item=True, stem="invocation", namespaces=words)
    return Piece((every, one), (InvocationsSource(ground.observing.recording, ground.observing.records),))


class InvocationPages:
    """What both pages are filled with."""

    def __init__(self, ground: Ground) -> None:
        self._recording = ground.observing.recording
        self._catalog = ground.watched.catalog
        self._store = ground.watched.store

    async def load_all(self, request: Request) -> Shown:
        """A page of records in brief, newest first."""
        told = {name: request.query_params.get(name, "").strip()[:LONGEST_TEXT] for name in FILTERS}
        choice = _choice(told, request.query_params.get("before", ""))
        records = await self._recording.page(choice, PAGE + 1)
        more = {name: value for name, value in told.items() if value}
        return {
            "records": records[:PAGE],
            "more": urlencode({**more, "before": records[PAGE - 1]["number"]}) if len(records) > PAGE else "",
            "filters": told,
            "choices": {
                "function": sorted({*self._catalog.functions, *filter(None, [told["function"]])}),
                "result": (FAILED, *RESULTS),
                "trigger": TRIGGERS,
                "since": tuple(PERIODS),
            },
        }

    async def load_one(self, request: Request) -> Shown:
        """All attempts of one event, the newest first."""
        event_id = request.path_params["item"]
        attempts = await self._recording.of(event_id)
        if not attempts:
            raise HTTPException(404, f"there is no record of {event_id[:64]!r}")
        newest = attempts[-1]
        return {
            "attempts": attempts[::-1],
            "newest": newest,
            "letter": await self._find_letter(newest),
            "revisions": self._ready(newest),
        }

    async def _find_letter(self, record: View) -> int | None:
        """The number of the dead letter that the event became."""
        if record["result"] == "ok":
            return None
        letters = await self._store.letters(LetterQuery(event_id=record["id"], limit=1))
        return letters[0].seq if letters else None

    def _ready(self, record: View) -> list[dict[str, Any]]:
        """The revisions that may run it again, newest first."""
        deployed = self._catalog.functions.get(record["function"])
        if deployed is None:
            return []
        ready = (each.number for each in deployed.revisions.values() if each.state == "ready")
        return [{"number": each, "live": each == deployed.live} for each in sorted(ready, reverse=True)]


def _choice(told: dict[str, str], before: str) -> Choice:
    """Which records; what is no such filter is none."""
    result, period = told["result"], PERIODS.get(told["since"])
    return Choice(
        told["function"] or None,
        result if result in RESULTS else None,
        told["trigger"] or None,
        result == FAILED,
        time.time() - period if period else 0.0,
        int(before) if before.isascii() and before.isdecimal() and len(before) < 18 else None,
        told["text"],
    )
