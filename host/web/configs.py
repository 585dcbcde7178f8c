"""The config file in the management API: shown, checked, changed."""

import asyncio
import json
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from conf.document import DEEPEST
from conf.load import json_schema
from host.access.gate import note_for_audit
from host.configuring.desk import ConflictError, Desk, LockedError, RefusedError, Wanted
from host.web.bodies import read_object

PLACE = "/api/config"
MOST_BODY = 2 * 1024 * 1024
NOT_KEPT = {"cache-control": "no-store"}


class ConfigsApi:
    """Its endpoints, each one verb; another file than the host's own is applied by `POST /api/config`."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route(PLACE, self.show, methods=["GET"]),
            Route(PLACE, self.write, methods=["PUT"]),
            Route(f"{PLACE}/schema", self.show_schema, methods=["GET"]),
            Route(f"{PLACE}/check", self.check, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The host's file, with marks in the place of its secrets."""
        told = await self._desk.show()
        return _answer(told, etag=f'"{told["digest"]}"')

    async def show_schema(self, request: Request) -> Response:
        """The JSON Schema of the file."""
        return Response(await asyncio.to_thread(_schema), media_type="application/json")

    async def check(self, request: Request) -> Response:
        """What a change would be, or all that is wrong with it."""
        wanted = await _read_wanted(request)
        try:
            return _answer(await self._desk.check(wanted))
        except (ConflictError, LockedError) as error:
            raise HTTPException(409, str(error)) from None

    async def write(self, request: Request) -> Response:
        """Change the file, and have the host go over to what it says then."""
        wanted = await _read_wanted(request)
        note_for_audit(request, target=str(self._desk.file.path))
        try:
            told = await self._desk.write(wanted)
        except (ConflictError, LockedError) as error:
            raise HTTPException(409, str(error)) from None
        except RefusedError as error:
            return _refuse(error)
        note_for_audit(request, digest=told["digest"])
        return _answer(told, etag=f'"{told["digest"]}"')


@lru_cache(1)
def _schema() -> bytes:
    return json.dumps(json_schema()).encode()


def _answer(told: dict[str, Any], **headers: str) -> Response:
    # ASCII: what was sent comes back even where it holds half of a character, which is no UTF-8.
    return Response(json.dumps(told), media_type="application/json", headers={**NOT_KEPT, **headers})


async def _read_wanted(request: Request) -> Wanted:
    match = request.headers.get("if-match")
    if match is None:
        raise HTTPException(400, "say in If-Match which file this changes: the ETag of GET /api/config")
    digest = match.strip().strip('"')
    body = await read_object(request, MOST_BODY, DEEPEST + 2)
    document, text = body.get("document"), body.get("text")
    if isinstance(document, dict) and text is None:
        return Wanted(digest, document=document)
    if isinstance(text, str) and document is None:
        return Wanted(digest, text=text)
    raise HTTPException(400, "send either `document`, an object, or `text`")


def _refuse(error: RefusedError) -> Response:
    title = "The config is refused, and nothing has changed"
    told: dict[str, Any] = {"type": "about:blank", "title": title, "status": 422, "detail": str(error)}
    told["faults"] = [asdict(fault) for fault in error.faults]
    return JSONResponse(told, 422, media_type="application/problem+json")
