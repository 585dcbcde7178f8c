"""The gate of the management API: every request is let through or refused here, by the table of routes."""

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request, cookie_parser
from starlette.routing import Match, Route

from host.access.audit import Actor, AuditLog, Deed
from host.access.guard import Guard, refusal
from host.access.routes import NEEDS, NO_ROUTE, UNKNOWN, Need
from host.access.scopes import ANONYMOUS, LOOK, Identity
from host.access.sessions import COOKIE, SECURE_COOKIE, Session
from runtime.events import InvocationError, new_id
from triggers.asgi import Receive, Scope, Send, exchange_of
from triggers.http_answers import send_problem
from triggers.refusals import AccessError, InvalidTokenError, ScopeError, TooManyAttemptsError

WHO, SESSION, NOTES = "fnhost.who", "fnhost.session", "fnhost.notes"
NOBODY = Identity(ANONYMOUS, ())
READING = ("GET", "HEAD", "OPTIONS")

Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class CrossSiteError(AccessError):
    """A browser sent this with its session, and not from a page of this host."""

    status = 403


class Gate:
    """An ASGI application before another."""

    def __init__(self, app: Starlette, guard: Guard, audit: AuditLog) -> None:
        self._app = app
        self._guard = guard
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        need, params = self._need(scope)
        peer = (scope.get("client") or ("",))[0]
        scope[NOTES] = notes = dict[str, str]()

        async def noting(message: MutableMapping[str, Any]) -> None:
            if need.action and message["type"] == "http.response.start":  # nobody is told before the log is
                told = _target(need, params, scope) | notes
                self._record(need, Actor(scope[WHO].name, peer), message["status"], told)
            await send(message)

        scope[WHO] = NOBODY
        try:
            identity = scope[WHO] = self._identify(scope, peer, need)
            if not need.is_met(identity, name := params.get("name", "")):
                raise refusal(identity, need.scope(name))
        except InvocationError as error:
            await send_problem(noting, error, new_id())
        else:
            with self._watching(scope, identity):
                await self._app(scope, receive, noting)

    def _need(self, scope: Scope) -> tuple[Need, dict[str, str]]:
        """What the route needs that Starlette will take, and the parameters of its path."""
        for route in self._app.routes:
            match, child = route.matches(scope)
            if match is Match.FULL and isinstance(route, Route):
                method = "GET" if scope["method"] == "HEAD" else scope["method"]
                params = {name: str(value) for name, value in child["path_params"].items()}
                return NEEDS.get(f"{method} {route.path}", UNKNOWN), params
        return NO_ROUTE, {}

    def _identify(self, scope: Scope, peer: str, need: Need) -> Identity:
        headers = Headers(scope=scope)
        authorization = headers.get("authorization", "").encode("latin-1")
        if authorization or (session := self._session(scope, headers)) is None:
            try:
                return self._guard.identify(authorization, peer)
            except (InvalidTokenError, TooManyAttemptsError):
                if need.is_met(NOBODY, ""):
                    return NOBODY
                raise
        if scope["method"] not in READING:
            check_same_site(scope, headers)
            if not session.knows(headers.get("x-csrf-token", "")):
                raise CrossSiteError("a change with a session needs the X-CSRF-Token of its sign-in")
        scope[SESSION] = session
        return session.identity

    def _session(self, scope: Scope, headers: Headers) -> Session | None:
        value = read_cookie(scope, headers)
        return self._guard.session(value) if value else None

    @contextmanager
    def _watching(self, scope: Scope, identity: Identity) -> Iterator[None]:
        """What is read for long, such as a log that is followed, ends with its token or session."""
        exchange, session = exchange_of(scope), scope.get(SESSION)
        if scope["method"] != "GET" or not (session or identity.token) or exchange is None:
            yield
            return
        with self._guard.watching(session or identity, lambda: exchange.close(whole=False)):
            yield

    def _record(self, need: Need, actor: Actor, status: int, told: dict[str, str]) -> None:
        if status < 400 and need.told:
            return
        if status < 400 and need.often:
            self._audit.record_at_will(actor, Deed(need.action, **told))
        elif status < 400:
            self._audit.record(actor, Deed(need.action, **told))
        elif actor.name != ANONYMOUS:
            self._audit.record_at_will(actor, Deed(need.action, outcome=str(status), **told))


def _target(need: Need, params: dict[str, str], scope: Scope) -> dict[str, str]:
    if not need.noted:
        return {}
    known = {**QueryParams(scope["query_string"]), **params}
    return {"target": " ".join(f"{name}={known[name]}" for name in need.noted if name in known)}


def check_same_site(scope: Scope, headers: Headers) -> None:
    """Raise CrossSiteError unless the browser says that a page of this host sent this."""
    own = f"{scope['scheme']}://{headers.get('host', '')}"
    if headers.get("sec-fetch-site") == "same-origin" or headers.get("origin") == own:
        return
    raise CrossSiteError("a change with a session is taken from pages of this host only")


def read_cookie(scope: Scope, headers: Headers) -> str:
    """The value of the session's cookie, empty without one."""
    return cookie_parser(headers.get("cookie", "")).get(cookie_name(scope), "")


def cookie_name(scope: Scope) -> str:
    """What the session's cookie is called here."""
    return SECURE_COOKIE if scope["scheme"] == "https" else COOKIE


def identity_of(request: Request) -> Identity:
    """Who asks; nobody where no gate has looked."""
    found: Identity = request.scope.get(WHO, NOBODY)
    return found


def may_look(request: Request) -> bool:
    """Whether the caller may see details of how the host is."""
    return identity_of(request).may(LOOK)


def actor_of(request: Request) -> Actor:
    """Who asks, as the audit log calls them."""
    return Actor(identity_of(request).name, request.client.host if request.client else "")


def note_for_audit(request: Request, **told: str) -> None:
    """Say what the audit log tells of this request (fields of Deed)."""
    request.scope.setdefault(NOTES, {}).update(told)


def require(request: Request, verb: str, name: str) -> None:
    """Raise HTTPException (403) unless the caller may do this to the function `name`."""
    if not identity_of(request).may(verb, name):
        raise as_http(ScopeError(f"{verb}:{name}"))


def as_http(error: InvocationError) -> HTTPException:
    """A refusal as endpoints raise it."""
    headers = {"www-authenticate": error.challenge} if isinstance(error, AccessError) else {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, round(error.retry_after)))
    return HTTPException(error.status, str(error), headers)
