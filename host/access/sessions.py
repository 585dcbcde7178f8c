"""Sessions of browsers, each made from a token: the cookie's value is known to the browser only."""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from host.access.scopes import Identity
from host.access.token_text import digest_of

LIFETIME = 12 * 3600.0
MOST = 256
"""Sessions at a time; the oldest makes room."""
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
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def begin(self, identity: Identity) -> tuple[str, Session]:
        """A new session, and the value of its cookie."""
        value = secrets.token_urlsafe(32)
        session = Session(identity, secrets.token_urlsafe(32), self._clock() + LIFETIME)
        self._sessions[digest_of(value)] = session
        if len(self._sessions) > MOST:
            self._sessions.popitem(last=False)
        return value, session

    def find(self, value: str) -> Session | None:
        """The session of a cookie."""
        session = self._sessions.get(digest_of(value))
        return session if session is not None and self._clock() < session.expires else None

    def end(self, value: str) -> None:
        """Sign out."""
        self._sessions.pop(digest_of(value), None)
