"""Sign-in for browsers: a token becomes a session with a cookie that no script can read."""

import asyncio
import time
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host.access.audit import Actor, AuditLog, Deed
from host.access.gate import (
    SESSION,
    actor_of,
    as_http,
    check_same_site,
    cookie_name,
    identity_of,
    read_cookie,
)
from host.access.guard import Guard
from host.access.scopes import ANONYMOUS, Identity
from host.access.sessions import LIFETIME, Session, Sessions
from host.access.sign_in_codes import SignInCodes
from host.web.bodies import read_object
from runtime.events import InvocationError
from triggers.refusals import InvalidTokenError

PLACE = "/api/session"
CODE = f"{PLACE}/code"
SIGN_IN = "/console/sign-in"
NOT_KEPT = {"cache-control": "no-store"}


class SessionsApi:
    """Its endpoints, each one verb."""

    def __init__(self, guard: Guard, sessions: Sessions, audit: AuditLog) -> None:
        self._audit = audit
        self._guard = guard
        self._sessions = sessions
        self._codes = SignInCodes(time.monotonic)

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route(PLACE, self.show, methods=["GET"]),
            Route(PLACE, self.begin, methods=["POST"]),
            Route(PLACE, self.end, methods=["DELETE"]),
            Route(CODE, self.make_code, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Who the caller is, and what it may do."""
        identity, session = identity_of(request), request.scope.get(SESSION)
        told = {"who": identity.name, "scopes": [str(scope) for scope in identity.scopes]}
        return JSONResponse(told | _shown(session), headers=NOT_KEPT)

    async def begin(self, request: Request) -> Response:
        """Sign in with `{"token": "fnh_…"}`, or with a code that `make_code` gave out."""
        told = await read_object(request)
        peer = request.client.host if request.client else ""
        try:
            if "origin" in request.headers:  # nobody is signed in by another site's page
                check_same_site(request.scope, request.headers)
            identity = self._identify(told, peer)
        except InvocationError as error:
            raise as_http(error) from None
        value, session = self._sessions.begin(identity)
        await asyncio.to_thread(self._sessions.save)
        self._guard.end_requests()  # of a session that made room
        self._audit.record_at_will(Actor(identity.name, peer), Deed("session.begin"))
        shown = {"who": identity.name, "scopes": [str(scope) for scope in identity.scopes]}
        answer = JSONResponse(shown | _shown(session), headers=NOT_KEPT)
        self._set_cookie(request, answer, value, int(LIFETIME))
        return answer

    def _identify(self, told: dict[str, Any], peer: str) -> Identity:
        match told:
            case {"token": str(token)}:
                return self._guard.identify_token(token, peer)
            case {"code": str(code)}:
                identity = self._codes.use(code)
                if identity is None or not self._guard.is_good(identity):
                    raise InvalidTokenError(
                        "this link was used or is too old: `fnhost console` makes another"
                    )
                return identity
        raise HTTPException(400, 'say {"token": "fnh_…"}')

    async def make_code(self, request: Request) -> Response:
        """A code that signs a browser in as the caller, once, within five minutes."""
        identity = identity_of(request)
        if identity.name == ANONYMOUS:
            raise HTTPException(403, "who is nobody has nothing to hand on: everybody may do the same here")
        self._audit.record_at_will(actor_of(request), Deed("session.code"))
        code = self._codes.make(identity)
        return JSONResponse({"code": code, "page": f"{SIGN_IN}#{code}"}, 201, NOT_KEPT)

    async def end(self, request: Request) -> Response:
        """Sign out."""
        if request.scope.get(SESSION) is not None:
            self._sessions.end(read_cookie(request.scope, request.headers))
            await asyncio.to_thread(self._sessions.save)
            self._guard.end_requests()
            self._audit.record_at_will(actor_of(request), Deed("session.end"))
        answer = JSONResponse({"who": "anonymous"}, headers=NOT_KEPT)
        self._set_cookie(request, answer, "", 0)
        return answer

    def _set_cookie(self, request: Request, answer: Response, value: str, age: int) -> None:
        secure = request.scope["scheme"] == "https"
        name = cookie_name(request.scope)
        answer.set_cookie(name, value, age, path="/", secure=secure, httponly=True, samesite="strict")


def _shown(session: Session | None) -> dict[str, Any]:
    return {} if session is None else {"csrf": session.csrf, "expires": session.expires}
