"""Asynchronous invocations in the management API: what became of one, its result, and calling it off."""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.access.gate import identity_of
from host.access.scopes import INVOKE, READ
from triggers.http_answers import INVOCATIONS, encode_answer
from triggers.invocations.acceptance import PATIENCE
from triggers.invocations.ledger import Ledger, unknown_invocation
from triggers.invocations.records import CANCELLED, DONE, FAILED, answer_of
from triggers.store.rows import NEVER, Invocation
from triggers.store.store import StoreClosedError

MOST_SHOWN = 64 * 1024
AGAIN = {"retry-after": "1"}
PROBLEM = "application/problem+json"


class InvocationsApi:
    """Its endpoints, each one verb; `patience` is in seconds."""

    def __init__(self, ledger: Ledger, patience: float = PATIENCE) -> None:
        self._ledger = ledger
        self._patience = patience
        self._cancelling: dict[str, asyncio.Task[Invocation]] = {}

    def routes(self) -> list[Route]:
        """Where they are reached."""
        one = INVOCATIONS + "{id}"
        return [
            Route(one, self.show, methods=["GET"]),
            Route(one, self.cancel, methods=["DELETE"]),
            Route(f"{one}/result", self.result, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """Its state, and how it ended."""
        record = await self._find(request)
        return _json(_view(record), headers={} if record.finished else AGAIN)

    async def cancel(self, request: Request) -> Response:
        """Call it off: what waits does not run, and what runs has no result."""
        record = await self._find(request)
        return _json(_view(await self._cancel(record.id)))

    async def _find(self, request: Request) -> Invocation:
        """The one that is asked for, if the caller may see it; else it is as if there were none."""
        event_id = request.path_params["id"]
        record = await self._ledger.find(event_id)
        identity = identity_of(request)
        reads = request.method != "DELETE" and identity.may(READ)
        if not reads and not identity.may(INVOKE, record.function.partition("@")[0]):
            raise unknown_invocation(event_id)
        return record

    async def _cancel(self, event_id: str) -> Invocation:
        cancelling = self._cancelling.get(event_id)
        if cancelling is None:
            cancelling = asyncio.create_task(self._ledger.cancel(event_id))
            self._cancelling[event_id] = cancelling
            cancelling.add_done_callback(lambda _: self._cancelling.pop(event_id))
        try:
            # It goes on when its caller goes away, or is told to ask again.
            return await asyncio.wait_for(asyncio.shield(cancelling), self._patience)
        except TimeoutError:
            why = f"the disk has not taken it within {self._patience:g} s and may do so yet; ask again"
        except StoreClosedError as error:
            why = f"{error}; ask again when the host runs"
        raise HTTPException(503, f"whether {event_id} is cancelled is not known: {why}")

    async def result(self, request: Request) -> Response:
        """The function's own answer, as a caller who waited would have had it."""
        record = await self._find(request)
        if record.state == DONE:
            return _own_answer(record)
        if record.state == FAILED:
            return _json(record.error, int(str(record.error["status"])), _named(record), PROBLEM)
        if record.state == CANCELLED:
            gone = {"type": "about:blank", "title": "The invocation was cancelled", "status": 410}
            told = gone | {
                "detail": f"{record.id} was cancelled, so there is no result",
                "requestId": record.id,
            }
            return _json(told, 410, _named(record), PROBLEM)
        return _json(_view(record), 202, AGAIN | _named(record))


def _own_answer(record: Invocation) -> Response:
    status, headers, body = encode_answer(answer_of(record))
    response = Response(body, status)
    response.raw_headers = [*headers, (b"x-request-id", record.id.encode())]
    return response


def _named(record: Invocation) -> dict[str, str]:
    return {"x-request-id": record.id}


def _view(record: Invocation) -> dict[str, Any]:
    told = asdict(record)
    body = told.pop("body")
    if record.expires == NEVER:
        told["expires"] = None
    for name in ("result", "error", "callback", "callback_state", "finished"):
        told[name] = told[name] or None
    if record.state == DONE:
        told["result"] = {**record.result, **_shown(body, record.result)}
    return told


def _shown(body: bytes | None, result: dict[str, object]) -> dict[str, Any]:
    """The body as its type says, where it is small and text; `size` is in bytes, None without a body."""
    if body is None or len(body) > MOST_SHOWN:
        return {"body": None, "size": None if body is None else len(body)}
    try:
        text: Any = body.decode()
        if str(result["contentType"]).partition(";")[0].strip() == "application/json":
            text = json.loads(text)
    except (ValueError, RecursionError):
        text = None
    return {"body": text, "size": len(body)}


def _json(
    value: object, status: int = 200, headers: dict[str, str] | None = None, kind: str = "application/json"
) -> Response:
    # What a function said may hold what no UTF-8 can.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, status, headers, kind)
