"""Codes that sign a browser in once: the command line prints one in a link, so no token is copied by hand."""

import secrets
from collections.abc import Callable

from host.access.scopes import Identity
from host.access.token_text import digest_of

LIFETIME = 300.0
"""Seconds: long enough to find the browser."""
MOST = 16
"""Codes that wait to be used; the oldest makes room."""


class SignInCodes:
    """Those that nobody has used yet, in memory, by their digests. `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[float, Identity]] = {}

    def make(self, identity: Identity) -> str:
        """A code by which a browser becomes `identity`, once and soon."""
        while len(self._waiting) >= MOST:
            del self._waiting[next(iter(self._waiting))]
        code = secrets.token_urlsafe(24)
        self._waiting[digest_of(code)] = self._clock() + LIFETIME, identity
        return code

    def use(self, code: str) -> Identity | None:
        """Whose it was; None for one that nobody made, that was used, or that came too late."""
        ends, identity = self._waiting.pop(digest_of(code), (0.0, None))
        return identity if self._clock() < ends else None
