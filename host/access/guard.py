"""Says who a caller is, and whether it may call a function."""

import hmac
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from host.access.attempts import Attempts
from host.access.audit import Actor, AuditLog, Deed
from host.access.scopes import ANONYMOUS, EVERYTHING, INVOKE, LOCAL, LOOK, METRICS, Identity, Scope, Scopes
from host.access.sessions import Session, Sessions
from host.access.token_file import TokenRow
from host.access.token_text import digest_of
from host.access.tokens import Tokens
from triggers.http import Caller
from triggers.refusals import InvalidTokenError, NoTokenError, ScopeError, TooManyAttemptsError

logger = logging.getLogger(__name__)

MOST_ADMITTED = 4096
LONGEST_ADMITTED = 256
"""Bytes of an `Authorization`, and characters of a target, that are looked up; longer ones are judged."""
LOOK_ONLY = (Scope(LOOK),)


@dataclass(frozen=True)
class Rules:
    """What needs no token: `loopback` says that only this machine reaches the host."""

    loopback: bool
    invoke_open: bool
    allow_anonymous: bool
    metrics_open: bool = True

    def anonymous(self) -> Scopes:
        """What callers without a token may do."""
        if self.allow_anonymous:
            return EVERYTHING
        if not self.loopback:
            return ()
        invoke = (Scope(INVOKE, "*"),) if self.invoke_open else ()
        return (*LOOK_ONLY, *invoke, *((Scope(METRICS),) if self.metrics_open else ()))


@dataclass(frozen=True)
class GuardParts:
    """What a guard decides with; `local` is the digest of the local token."""

    rules: Rules
    tokens: Tokens
    sessions: Sessions
    attempts: Attempts
    audit: AuditLog
    local: str


class Guard:
    """Knows every caller by its `Authorization`. Who was admitted once is looked up until `forget`."""

    def __init__(self, parts: GuardParts) -> None:
        self._parts = parts
        self.anonymous = Identity(ANONYMOUS, parts.rules.anonymous())
        self._is_open = self.anonymous.may(INVOKE)
        self._admitted: dict[tuple[bytes, str], str] = {}
        self._open_requests: defaultdict[str | Session, set[Callable[[], None]]] = defaultdict(set)

    def admit(self, caller: Caller, peer: str) -> str:
        """Who calls (`token:NAME`, `local` or an address), of those who may; raises InvocationError."""
        if self._is_open and not caller.authorization:
            return peer
        known = self._admitted.get((caller.authorization, caller.target))
        return self._admit(caller, peer) if known is None else known

    def _admit(self, caller: Caller, peer: str) -> str:
        identity = self.identify(caller.authorization, peer)
        function = caller.target.partition("@")[0]
        if not identity.may(INVOKE, function):
            raise refusal(identity, f"{INVOKE}:{function}")
        if identity.name == ANONYMOUS:
            return peer
        if max(len(caller.authorization), len(caller.target)) <= LONGEST_ADMITTED:
            if len(self._admitted) >= MOST_ADMITTED:
                self._admitted.clear()
            self._admitted[caller.authorization, caller.target] = identity.caller
        return identity.caller

    def identify(self, authorization: bytes, peer: str) -> Identity:
        """Who sends this header; raises InvalidTokenError or TooManyAttemptsError for a wrong token.

        Another scheme than Bearer is meant for somebody else, a proxy for one.
        """
        scheme, _, token = authorization.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return self.anonymous
        return self.identify_token(token.strip(), peer)

    def identify_token(self, token: str, peer: str) -> Identity:
        """Whose token this is; raises as `identify` does."""
        if hmac.compare_digest(digest_of(token), self._parts.local):
            return LOCAL
        if (row := self._parts.tokens.find(token)) is not None:
            return self._of(row)
        if self._parts.rules.allow_anonymous:
            return self.anonymous
        wait = self._parts.attempts.note(peer)
        actor = Actor(ANONYMOUS, peer)
        self._parts.audit.record_at_will(actor, Deed("access", outcome="429" if wait else "wrong token"))
        if wait:
            raise TooManyAttemptsError(wait)
        raise InvalidTokenError("this token is unknown, expired or revoked")

    def identify_again(self, name: str) -> Identity | None:
        """Who a session of the host's last life belongs to, while its token is good."""
        if name == LOCAL.name:
            return LOCAL
        row = self._parts.tokens.get(name.removeprefix("token:"))
        return self._of(row) if row is not None and self._parts.tokens.is_live(row.id) else None

    def is_good(self, identity: Identity) -> bool:
        """Whether the token that this caller had still opens something."""
        return self._has_live_token(identity.token)

    def _of(self, row: TokenRow) -> Identity:
        # Nobody may do less with a token than without.
        scopes = tuple(dict.fromkeys((*row.scopes, *self.anonymous.scopes)))
        return Identity(f"token:{row.id}", scopes, row.id, f"token:{row.name}")

    def session(self, cookie: str) -> Session | None:
        """The session that a browser's cookie belongs to, while its token is good."""
        session = self._parts.sessions.find(cookie)
        if session is None:
            return None
        return session if self._has_live_token(session.identity.token) else None

    def _has_live_token(self, token: str) -> bool:
        return not token or self._parts.tokens.is_live(token)

    @contextmanager
    def watching(self, ground: Identity | Session, close: Callable[[], None]) -> Iterator[None]:
        """A request that goes on as long as the block: `close` is called if its token or session ends."""
        key = ground if isinstance(ground, Session) else ground.token
        requests = self._open_requests[key]
        requests.add(close)
        try:
            yield
        finally:
            requests.discard(close)
            if not requests:
                self._open_requests.pop(key, None)

    def forget(self) -> None:
        """Look at every token anew, since one may have expired or been revoked; what that keeps open ends."""
        self._admitted.clear()
        self.end_requests()

    def end_requests(self) -> None:
        """Close what is open by a token or session that has ended."""
        for key in [each for each in self._open_requests if not self._is_live(each)]:
            for close in list(self._open_requests[key]):
                close()

    def _is_live(self, key: str | Session) -> bool:
        if isinstance(key, Session):
            return self._parts.sessions.is_live(key) and self._has_live_token(key.identity.token)
        return self._has_live_token(key)


def refusal(identity: Identity, scope: str) -> NoTokenError | ScopeError:
    """Why this caller may not do what needs `scope`."""
    if identity.name == ANONYMOUS:
        return NoTokenError(
            "this needs a token: send it as `Authorization: Bearer …`; `fnhost token create` makes one"
        )
    return ScopeError(scope)
