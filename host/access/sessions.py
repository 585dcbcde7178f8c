"""Sessions of browsers, each made from a token: the cookie's value is known to the browser only."""

import hmac
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from host.access.scopes import Identity
from host.access.session_file import SessionRow, read_sessions, write_sessions
from host.access.token_text import digest_of

logger = logging.getLogger(__name__)

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


def csrf_of(value: str) -> str:
    """What belongs to the cookie of this value, and tells nothing of it."""
    return digest_of(f"csrf {value}")


class Sessions:
    """All of them; `save` has them outlive the host. `clock` is in seconds since the epoch."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._writing = threading.Lock()

    def load(self, identify: Callable[[str], Identity | None]) -> None:
        """Go on with those of the host's last life; `identify` says who `local` or `token:ID` is by now."""
        for row in read_sessions(self._file):
            identity = identify(row.who)
            expires = min(row.expires, self._clock() + LIFETIME)  # the clock may have been set back
            if identity is not None and self._clock() < expires:
                self._sessions[row.digest] = Session(identity, "", expires)

    def save(self) -> None:
        """Write them; where that cannot be, they end with the host. Blocks."""
        with self._writing:
            sessions = list(self._sessions.items())
            rows = [SessionRow(digest, each.identity.name, each.expires) for digest, each in sessions]
            try:
                write_sessions(self._file, rows)
            except OSError as error:
                logger.warning("sessions will not outlive this host: %s: %s", self._file, error.strerror)

    def begin(self, identity: Identity) -> tuple[str, Session]:
        """A new session, and the value of its cookie."""
        value = secrets.token_urlsafe(32)
        session = Session(identity, csrf_of(value), self._clock() + LIFETIME)
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
        digest = digest_of(value)
        session = self._sessions.get(digest)
        if session is None or not self._is_good(session):
            return None
        if not session.csrf:  # of the host's last life: the file has nothing that opens anything
            session = self._sessions[digest] = replace(session, csrf=csrf_of(value))
        return session

    def is_live(self, session: Session) -> bool:
        """Whether it has neither ended nor made room."""
        return self._is_good(session) and session in self._sessions.values()

    def _is_good(self, session: Session) -> bool:
        return self._clock() < session.expires

    def end(self, value: str) -> None:
        """Sign out."""
        self._sessions.pop(digest_of(value), None)
