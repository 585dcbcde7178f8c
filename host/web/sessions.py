"""Sign-in for browsers: a token becomes a session with a cookie that no script can read."""

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
from host.access.sessions import LIFETIME, Session, Sessions
from host.web.bodies import read_object
from runtime.events import InvocationError

PLACE = "/api/session"
NOT_KEPT = {"cache-control": "no-store"}


class SessionsApi:
    """Its endpoints, each one verb."""

    def __init__(self, guard: Guard, sessions: Sessions, audit: AuditLog) -> None:
        self._audit = audit
        self._guard = guard
        self._sessions = sessions

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route(PLACE, self.show, methods=["GET"]),
            Route(PLACE, self.begin, methods=["POST"]),
            Route(PLACE, self.end, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        """Who the caller is, and what it may do."""
        identity, session = identity_of(request), request.scope.get(SESSION)
        told = {"who": identity.name, "scopes": [str(scope) for scope in identity.scopes]}
        return JSONResponse(told | _shown(session), headers=NOT_KEPT)

    async def begin(self, request: Request) -> Response:
        """Sign in with `{"token": "fnh_…"}`."""
        token = (await read_object(request)).get("token")
        if not isinstance(token, str):
            raise HTTPException(400, 'say {"token": "fnh_…"}')
        try:
            if "origin" in request.headers:  # nobody is signed in by another site's page
                check_same_site(request.scope, request.headers)
            peer = request.client.host if request.client else ""
            identity = self._guard.identify_token(token, peer)
        except InvocationError as error:
            raise as_http(error) from None
        value, session = self._sessions.begin(identity)
        self._guard.end_requests()  # of a session that made room
        self._audit.record_at_will(Actor(identity.name, peer), Deed("session.begin"))
        told = {"who": identity.name, "scopes": [str(scope) for scope in identity.scopes]}
        answer = JSONResponse(told | _shown(session), headers=NOT_KEPT)
        self._set_cookie(request, answer, value, int(LIFETIME))
        return answer

    async def end(self, request: Request) -> Response:
        """Sign out."""
        if request.scope.get(SESSION) is not None:
            self._sessions.end(read_cookie(request.scope, request.headers))
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
