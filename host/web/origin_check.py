"""Who may call from where: the names in `Host`, against DNS rebinding, and the pages in `Origin`."""

import ipaddress
from collections.abc import Sequence

from conf.address import Address
from conf.web import Web
from host.web.refusal import FOREIGN_HOST, FOREIGN_ORIGIN, NO_HOST, Refusal
from triggers.asgi import Scope
from triggers.http import PREFIX

HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
PREFLIGHT_AGE = b"600"
"""Seconds for which a browser remembers what it was allowed."""
_ASKED = b"access-control-request-method"
_METHODS = b"GET, POST, PUT, DELETE"
_TAKEN = b", ".join(
    (
        *(b"authorization", b"content-type", b"prefer", b"traceparent", b"tracestate"),
        *(b"x-callback-url", b"x-invocation-type", b"x-request-id"),
    )
)
_TOLD = b", ".join(
    (
        *(b"location", b"preference-applied", b"retry-after", b"server-timing"),
        *(b"x-function-digest", b"x-function-revision", b"x-request-id"),
    )
)

Headers = list[tuple[bytes, bytes]]


class OriginCheck:
    """Judges heads. `listen` is where the host listens: on loopback, only known names get through.

    Beyond loopback the host cannot know under which names it is reached, so there any will do until the
    config lists some.
    """

    def __init__(self, web: Web, listen: Address) -> None:
        self._listen = listen
        self.apply(web)

    def apply(self, web: Web) -> None:
        """Go over to another config."""
        self._hosts = frozenset(name.lower() for name in web.hosts)
        self._origins = frozenset(origin.encode() for origin in web.origins)
        self._strict = self._listen.is_loopback or bool(web.hosts)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why this request goes no further; None: it may."""
        hosts = _values(scope, b"host")
        if len(hosts) > 1 or (not hosts and scope["http_version"] == "1.1"):
            return NO_HOST
        if hosts and self._strict and not self._is_ours(hosts[0]):
            return FOREIGN_HOST
        origins = _values(scope, b"origin")
        if not origins or (scope["method"] in HARMLESS and not _is_invocation(scope)):
            return None
        return None if self._may_call(scope, origins, hosts) else FOREIGN_ORIGIN

    def is_plain(self, scope: Scope) -> bool:
        """Whether any other request with this head may pass too, and its answer needs no lines from here."""
        return self.refusal(scope) is None and not _values(scope, b"origin")

    def shared_lines(self, scope: Scope) -> Headers:
        """What lets a listed page read the answer (CORS); nothing for all others."""
        origins = _values(scope, b"origin") if self._origins else []
        if len(origins) != 1 or origins[0] not in self._origins:
            return []
        return [
            (b"access-control-allow-origin", origins[0]),
            (b"access-control-expose-headers", _TOLD),
            (b"vary", b"Origin"),
        ]

    def preflight(self, scope: Scope) -> Headers | None:
        """The answer to a browser that asks whether a listed page may call; None: it is no such question."""
        if scope["method"] != "OPTIONS" or not _values(scope, _ASKED):
            return None
        if not (shared := self.shared_lines(scope)):
            return None
        return [
            *shared,
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _TAKEN),
            (b"access-control-max-age", PREFLIGHT_AGE),
        ]

    def _is_ours(self, value: bytes) -> bool:
        place = value.decode("latin-1").lower()
        name = place.rpartition(":")[0] if place.rpartition(":")[2].isdecimal() else place
        bare = name.removeprefix("[").removesuffix("]")
        # An address is no name that somebody else's DNS could have led here.
        return (
            Address(bare, 0).is_loopback
            or place in self._hosts
            or name in self._hosts
            or (not self._listen.is_loopback and (bare == self._listen.host or _is_address(bare)))
        )

    def _may_call(self, scope: Scope, origins: Sequence[bytes], hosts: Sequence[bytes]) -> bool:
        if len(origins) > 1:
            return False
        # A proxy in front may speak TLS where the host does not.
        own = [scheme + host.lower() for host in hosts for scheme in (b"http://", b"https://")]
        return origins[0] in self._origins or origins[0].lower() in own


def _is_invocation(scope: Scope) -> bool:
    return scope["method"] != "OPTIONS" and str(scope["path"]).startswith(PREFIX)


def _is_address(bare: str) -> bool:
    try:
        ipaddress.ip_address(bare)
    except ValueError:
        return False
    return True


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for each, value in scope["headers"] if each == name]
