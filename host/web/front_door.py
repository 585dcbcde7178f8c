"""What every parsed request passes: the check of its origin, the functions or the API, lines of headers."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from host.web.origin_check import Headers, OriginCheck
from host.web.pages import API_PAGE
from triggers.asgi import Receive, Scope, Send, exchange_of
from triggers.http import PREFIX, HttpTrigger

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

API_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
"""Stands beside any other policy, since a result that the API hands out has the function's own headers."""
PAGE_POLICY = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
)
"""Of the host's own pages: only files of this host, nothing inline, and no text that becomes markup."""
GUARDED: Headers = [
    (b"cache-control", b"no-store"),
    API_POLICY,
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"referrer-policy", b"no-referrer"),
]
"""Of the API's answers, where they do not say it themselves; `nosniff` is on every answer of the server."""

POLICIES = (API_POLICY, PAGE_POLICY)
PAGES = frozenset({API_PAGE, "/"})
CONSOLE = "/console/"
OF_PAGES: Headers = [PAGE_POLICY if line is API_POLICY else line for line in GUARDED]


class FrontDoor:
    """Sends `/invoke/…` one way and all else the other."""

    def __init__(self, trigger: HttpTrigger, api: Application, origin_check: OriginCheck) -> None:
        self.trigger = trigger
        self.origin_check = origin_check
        self._api = api

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """One request, to be awaited; without a coroutine of its own in between."""
        refusal = self.origin_check.refusal(scope)
        if refusal is not None:
            return refusal.send(_with_lines(send, GUARDED))
        if (allowed := self.origin_check.preflight(scope)) is not None:
            return _allow(send, allowed)
        shared = self.origin_check.shared_lines(scope)
        if scope["path"].startswith(PREFIX):
            return self.trigger(scope, receive, _share(scope, send, shared) if shared else send)
        path = scope["path"]
        guarded = OF_PAGES if path in PAGES or path.startswith(CONSOLE) else GUARDED
        return self._api(scope, receive, _with_lines(send, [*guarded, *shared]))


async def _allow(send: Send, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body"})


def _share(scope: Scope, send: Send, shared: Headers) -> Send:
    if (exchange := exchange_of(scope)) is not None:
        exchange.tell(b"".join(b"%b: %b\r\n" % header for header in shared))
    return _with_lines(send, shared)


def _with_lines(send: Send, lines: Headers) -> Send:
    async def sending(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            said = {name.lower() for name, _ in own}
            ours = [line for line in lines if line in POLICIES or line[0] not in said]
            message = {**message, "headers": [*own, *ours]}
        await send(message)

    return sending
