"""What a token allows: `invoke:NAME`, `deploy:NAME`, `read`, `admin`; and who holds which of these."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

INVOKE, DEPLOY, READ, ADMIN = "invoke", "deploy", "read", "admin"
LOOK = "look"
"""A bare sign of life: `/`, `/readyz`, `/queue_size_metrics`. No token has it alone; `read` covers it."""
METRICS = "metrics"
"""The page of metrics. No token has it alone; whoever may read may have it, too."""
OF_FUNCTIONS = (INVOKE, DEPLOY)
LONGEST = 256
_GLOB = re.compile(r"[\w*][\w.*-]*")


@dataclass(frozen=True, slots=True)
class Scope:
    """One right; `glob` is a function's name in which `*` stands for any characters, empty without one."""

    verb: str
    glob: str = ""

    def __str__(self) -> str:
        return f"{self.verb}:{self.glob}" if self.glob else self.verb

    def covers(self, verb: str, name: str) -> bool:
        """Whether it allows `verb` on the function `name`; an empty name means on any function at all."""
        if self.verb == ADMIN:
            return True
        if self.verb == READ and verb == LOOK:
            return True
        return self.verb == verb and (not self.glob or not name or fnmatchcase(name, self.glob))


Scopes = tuple[Scope, ...]


def parse_scope(text: str) -> Scope:
    """The scope that `text` names; raises ValueError."""
    verb, colon, glob = unicodedata.normalize("NFC", text).partition(":")
    if verb in OF_FUNCTIONS and _GLOB.fullmatch(glob) and len(glob) <= LONGEST:
        return Scope(verb, glob)
    if verb in (READ, ADMIN) and not colon:
        return Scope(verb)
    raise ValueError(
        f"{text[:80]!r} is no scope; there are invoke:NAME, deploy:NAME (* stands for any), read and admin"
    )


def parse_scopes(texts: Iterable[str]) -> Scopes:
    """The scopes, each once; raises ValueError, also when there is none."""
    scopes = tuple(dict.fromkeys(map(parse_scope, texts)))
    if not scopes:
        raise ValueError("a token needs a scope, such as invoke:industry")
    return scopes


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: `name` is `token:ID`, `local` or `anonymous`; `token` is the token's id, else empty.

    `caller` is what quotas and turns go by: `token:NAME` or `local`; empty for who is known by address only.
    """

    name: str
    scopes: Scopes
    token: str = ""
    caller: str = ""

    def may(self, verb: str, name: str = "") -> bool:
        """Whether it may do this to the function `name`; without a name: to any function at all."""
        return any(scope.covers(verb, name) for scope in self.scopes)


ANONYMOUS = "anonymous"
EVERYTHING = (Scope(ADMIN),)
LOCAL = Identity("local", EVERYTHING, caller="local")
"""Whoever can read the host's own token file: its user, and root."""
