"""The dead letters in the management API: list, show, replay, drop."""

import base64
import codecs
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host.access.gate import note_for_audit
from host.web.bodies import read_object
from host.web.letter_edits import LARGEST, EditError, Edits, read_payload
from host.web.numbers import path_number, query_flag, query_number
from triggers.delivery.letters import (
    Choice,
    DeadLetters,
    LetterError,
    NotWrittenError,
    StrandedLetterError,
    UnknownLetterError,
)
from triggers.store.rows import Letter

MAX_SHOWN = 256 * 1024
DEFAULT_PAGE, MAX_PAGE = 100, 1000
STATUS = {UnknownLetterError: 404, StrandedLetterError: 409, NotWrittenError: 503}


class LettersApi:
    """Its endpoints, each one verb."""

    def __init__(self, letters: DeadLetters, edits: Edits) -> None:
        self._letters = letters
        self._edits = edits

    def routes(self) -> list[Route]:
        """Where they are reached."""
        all_of_them, one = "/api/dead-letters", "/api/dead-letters/{seq}"
        return [
            Route(all_of_them, self.list_letters, methods=["GET"]),
            Route(all_of_them, self.drop_all, methods=["DELETE"]),
            Route(f"{all_of_them}/replay", self.replay_all, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.drop, methods=["DELETE"]),
            Route(f"{one}/replay", self.replay, methods=["POST"]),
        ]

    async def list_letters(self, request: Request) -> Response:
        """The newest ones, without their bodies; `before` names the last one of the page before."""
        page = await self._letters.page(_choice(request), query_number(request, "before"), _limit(request))
        return _json({"dead_letters": [summarize(each) for each in page], "total": self._letters.count})

    async def show(self, request: Request) -> Response:
        """One with its body."""
        with _explained():
            letter = await self._letters.show(path_number(request, "seq"))
        return _json(describe(letter))

    async def replay(self, request: Request) -> Response:
        """Try one again, with another payload if there is one in the body."""
        seq = path_number(request, "seq")
        try:
            payload = read_payload(await read_object(request, LARGEST)) if _has_body(request) else None
            with _explained():
                if payload is not None:
                    letter = await self._letters.show(seq)
                    self._edits.check(letter, payload)
                    note_for_audit(request, **self._edits.tell(letter, payload))
                await self._letters.replay(seq, payload)
        except EditError as error:
            raise HTTPException(error.status, str(error)) from None
        return JSONResponse({"replayed": 1, "stranded": {}})

    async def replay_all(self, request: Request) -> Response:
        """Try all of a function, rule or error again, or with `all=1` all there are."""
        with _explained():
            done = await self._letters.replay_all(_meant(request), query_number(request, "until"))
        return _json({"replayed": done.count, "stranded": dict(done.stranded)})

    async def drop(self, request: Request) -> Response:
        """Throw one away."""
        with _explained():
            await self._letters.drop(path_number(request, "seq"))
        return JSONResponse({"dropped": 1})

    async def drop_all(self, request: Request) -> Response:
        """Throw all of a function, rule or error away, or with `all=1` all there are."""
        with _explained():
            dropped = await self._letters.drop_all(_meant(request), query_number(request, "until"))
        return JSONResponse({"dropped": dropped})


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except LetterError as error:
        raise HTTPException(STATUS[type(error)], str(error)) from None


def _choice(request: Request) -> Choice:
    query = request.query_params
    return Choice(query.get("function"), query.get("rule"), query.get("error"))


def _meant(request: Request) -> Choice:
    """The choice of what cannot be undone: nobody means all by saying nothing."""
    choice = _choice(request)
    everything = query_flag(request, "all")
    if everything == (choice != Choice()):
        raise HTTPException(400, "say which: function=NAME, rule=NAME, error=TYPE or some of them; or all=1")
    return choice


def _has_body(request: Request) -> bool:
    headers = request.headers
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _limit(request: Request) -> int:
    asked = query_number(request, "limit")
    if asked == 0:
        raise HTTPException(400, "limit is 1 at least")
    return min(MAX_PAGE, asked or DEFAULT_PAGE)


def summarize(letter: Letter) -> dict[str, Any]:
    """One letter without its body."""
    names = ("seq", "kind", "lane", "rule", "function", "event_id", "attempts", "error_type", "message")
    times = {"first": letter.first, "died": letter.died}
    return {**{name: getattr(letter, name) for name in names}, **times, "size": len(letter.body)}


def describe(letter: Letter) -> dict[str, Any]:
    """All of a letter."""
    shown = {"key": letter.key, "stack": letter.stack, "head": letter.head}
    return {**summarize(letter), **shown, **_body(letter.body)}


def _body(body: bytes) -> dict[str, Any]:
    """As text where it is text, which JSON is; the first MAX_SHOWN bytes."""
    cut = body[:MAX_SHOWN]
    whole = len(cut) == len(body)
    try:
        # A character that the cut goes through is no fault of the text.
        text = codecs.getincrementaldecoder("utf-8")().decode(cut, final=whole)
    except UnicodeDecodeError:
        return {"body": base64.b64encode(cut).decode(), "body_encoding": "base64", "body_cut": not whole}
    return {"body": text, "body_encoding": "text", "body_cut": not whole}


def _json(value: dict[str, Any]) -> Response:
    # What a function said of its failure may hold what no UTF-8 can.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, media_type="application/json")
