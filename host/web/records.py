"""Records of invocations in the management API: list, show, run again."""

import math

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.access.gate import as_http, identity_of, note_for_audit, require
from host.access.scopes import INVOKE
from host.observing.records.part import RecordsPart
from host.observing.records.replay import NotAgainError, Replay, dump, replay
from host.observing.records.sealing import View
from host.observing.records.store import Choice
from host.web.numbers import query_flag, query_number
from runtime.events import Dispatch, InvocationError
from runtime.observations import RESULTS

DEFAULT_PAGE, MAX_PAGE = 100, 1000
LONGEST_TEXT = 200


class RecordsApi:
    """Its endpoints, each one verb."""

    def __init__(self, records: RecordsPart, dispatch: Dispatch) -> None:
        self._records = records
        self._dispatch = dispatch

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route("/api/records", self.list_records, methods=["GET"]),
            Route("/api/records/{id}", self.show, methods=["GET"]),
            Route("/api/records/{id}/replay", self.replay, methods=["POST"]),
        ]

    async def list_records(self, request: Request) -> Response:
        """The newest ones, in brief; `before` names the last one of the page before."""
        page = await self._records.page(_choice(request), _limit(request))
        return _json({"records": page, **self._records.totals()})

    async def show(self, request: Request) -> Response:
        """All records of one event, one for each attempt, with what went in and came out."""
        attempts = await self._find(request)
        return _json({"id": attempts[0]["id"], "attempts": attempts})

    async def replay(self, request: Request) -> Response:
        """Run the very input again, on the live revision or on the one that is named."""
        view = (await self._find(request))[-1]
        target = request.query_params.get("on") or view["function"]
        for name in {view["function"], target.partition("@")[0]}:
            require(request, INVOKE, name)
        note_for_audit(request, target=f"id={view['id']} on={target}")
        try:
            return _json(await replay(view, Replay(target, identity_of(request).caller), self._dispatch))
        except NotAgainError as error:
            raise HTTPException(409, str(error)) from None
        except InvocationError as error:
            raise as_http(error) from None

    async def _find(self, request: Request) -> list[View]:
        event_id = request.path_params["id"]
        if attempts := await self._records.of(event_id):
            return attempts
        raise HTTPException(
            404,
            f"there is no record of {event_id[:64]!r}: only failures and a sample of the rest have one, for "
            "a while (`records:` of the config); `fnhost invocations` shows those there are",
        )


def _choice(request: Request) -> Choice:
    query = request.query_params
    result = query.get("result")
    if result is not None and result not in RESULTS:
        raise HTTPException(400, f"`result` is one of {', '.join(RESULTS)}, not {result[:40]!r}")
    return Choice(
        query.get("function"),
        result,
        query.get("trigger"),
        query_flag(request, "failed"),
        _since(query.get("since")),
        query_number(request, "before"),
        _text(query.get("text", "")),
    )


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise HTTPException(400, f"`text` has {LONGEST_TEXT} characters at most")
    return text


def _since(text: str | None) -> float:
    try:
        since = float(text or 0)
    except ValueError:
        since = math.nan
    if not math.isfinite(since):
        raise HTTPException(400, f"`since` is a time in seconds since the epoch, not {(text or '')[:40]!r}")
    return since


def _limit(request: Request) -> int:
    asked = query_number(request, "limit")
    if asked == 0:
        raise HTTPException(400, "limit is 1 at least")
    return min(MAX_PAGE, asked or DEFAULT_PAGE)


def _json(value: View) -> Response:
    return Response(dump(value), media_type="application/json")
