"""Sessions of browsers, each made from a token: the cookie's value is known to the browser only."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from host.access.scopes import Identity
from host.access.token_text import digest_of

LIFETIME = 12 * 3600.0
MOST = 8
"""Sessions of one token at a time; its oldest makes room, and nobody else's."""
COOKIE = "fnhost_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Under TLS: browsers take a cookie of this name from the very host only, over TLS and for all its paths."""


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that has signed in; `csrf` must come back in a header with whatever changes something."""

    identity: Identity
    csrf: str
    expires: float

    def knows(self, csrf: str) -> bool:
        """Whether `csrf` is what was handed out at sign-in."""
        return hmac.compare_digest(self.csrf.encode(), csrf.encode("utf-8", "replace"))


class Sessions:
    """All of them, in memory: a restart of the host ends them. `clock` is in seconds since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def begin(self, identity: Identity) -> tuple[str, Session]:
        """A new session, and the value of its cookie."""
        value = secrets.token_urlsafe(32)
        session = Session(identity, secrets.token_urlsafe(32), self._clock() + LIFETIME)
        self._make_room(identity)
        self._sessions[digest_of(value)] = session
        return value, session

    def _make_room(self, identity: Identity) -> None:
        own = []
        for digest, session in list(self._sessions.items()):
            if not self._is_good(session):
                del self._sessions[digest]
            elif session.identity.name == identity.name:
                own.append(digest)
        for digest in own[: max(0, len(own) - MOST + 1)]:
            del self._sessions[digest]

    def find(self, value: str) -> Session | None:
        """The session of a cookie."""
        session = self._sessions.get(digest_of(value))
        return session if session is not None and self._is_good(session) else None

    def is_live(self, session: Session) -> bool:
        """Whether it has neither ended nor made room."""
        return self._is_good(session) and session in self._sessions.values()

    def _is_good(self, session: Session) -> bool:
        return self._clock() < session.expires

    def end(self, value: str) -> None:
        """Sign out."""
        self._sessions.pop(digest_of(value), None)
