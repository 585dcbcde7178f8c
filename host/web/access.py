"""Tokens and the audit log in the management API."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host.access.audit import AuditLog, newest_records
from host.access.audit_chain import read_chain
from host.access.gate import note_for_audit
from host.access.orders import describe, read_order, show
from host.access.token_file import TokenRow
from host.access.tokens import TokenError, Tokens, UnknownTokenError
from host.full_disk import is_out_of_room, tell_cause
from host.web.bodies import read_object
from host.web.numbers import query_number

DEFAULT_TAIL, MOST_SHOWN = 100, 2000

T = TypeVar("T")


class AccessApi:
    """Its endpoints, each one verb; `renew` is called when a token was made or revoked."""

    def __init__(self, tokens: Tokens, audit: AuditLog, renew: Callable[[], None]) -> None:
        self._tokens = tokens
        self._audit = audit
        self._renew = renew

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route("/api/tokens", self.list_tokens, methods=["GET"]),
            Route("/api/tokens", self.create, methods=["POST"]),
            Route("/api/tokens/{id}", self.revoke, methods=["DELETE"]),
            Route("/api/audit", self.list_records, methods=["GET"]),
            Route("/api/audit/chain", self.check_chain, methods=["GET"]),
        ]

    async def list_tokens(self, request: Request) -> Response:
        """All of them, without what opens anything."""
        return JSONResponse({"tokens": [self._show(row) for row in self._tokens.rows()]})

    async def create(self, request: Request) -> Response:
        """Make one; this answer is the only place where it is ever told."""
        try:
            order = read_order(await read_object(request))
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        try:
            row, token = await self._write(lambda: self._tokens.create(order))
        except TokenError as error:
            raise HTTPException(409, str(error)) from None
        note_for_audit(request, target=describe(row))
        return JSONResponse({**self._show(row), "token": token}, 201, {"cache-control": "no-store"})

    async def revoke(self, request: Request) -> Response:
        """Have one open nothing from now on."""
        try:
            row = await self._write(lambda: self._tokens.revoke(request.path_params["id"]))
        except UnknownTokenError as error:
            raise HTTPException(404, str(error)) from None
        return JSONResponse(self._show(row))

    def _show(self, row: TokenRow) -> dict[str, Any]:
        return show(row, self._tokens.clock())

    async def _write(self, change: Callable[[], T]) -> T:
        writing = asyncio.ensure_future(asyncio.to_thread(change))
        # However it ends, and even if nobody waits for it any longer.
        writing.add_done_callback(lambda _: self._renew())
        try:
            return await asyncio.shield(writing)
        except OSError as error:
            if is_out_of_room(error):
                raise  # the API says which disk it is
            state = self._audit.folder
            raise HTTPException(
                507, f"{tell_cause(error)}; `fnhost doctor --state {state}` looks into it"
            ) from None

    async def list_records(self, request: Request) -> Response:
        """The newest records of the audit log, the oldest of them first."""
        tail = query_number(request, "tail")
        most = DEFAULT_TAIL if tail is None else min(MOST_SHOWN, tail)
        records = await asyncio.to_thread(newest_records, self._audit.folder, most)
        # What somebody asked for may hold what no UTF-8 can.
        return Response(json.dumps({"records": records}), media_type="application/json")

    async def check_chain(self, request: Request) -> Response:
        """Whether the audit log is whole."""
        return JSONResponse(asdict(await asyncio.to_thread(read_chain, self._audit.folder)))
