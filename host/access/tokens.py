"""The tokens that there are: made, found, revoked; kept as digests only."""

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from host.access.scopes import Scopes
from host.access.token_file import FILE, TokenRow, read_rows, write_rows
from host.access.token_text import digest_of, is_well_formed, make_token

MOST = 1000
"""Tokens that are kept; the dead ones make room for new ones."""
GRAIN = 60.0
LONGEST_NAME = 100
ID_BYTES = 4

Clock = Callable[[], float]
"""Seconds since the epoch: tokens expire by the calendar."""


class TokenError(Exception):
    """A token that cannot be made."""


class UnknownTokenError(Exception):
    """There is no such token."""


@dataclass(frozen=True)
class TokenOrder:
    """What is asked for; `lifetime` is in seconds, None for ever."""

    scopes: Scopes
    lifetime: float | None = None
    name: str = ""


class Tokens:
    """Owns the file. What changes it blocks, and may be called from any thread; `find` is for the loop."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self.clock = clock
        self._writing = threading.Lock()
        self._rows: Mapping[str, TokenRow] = {}
        self._by_digest: Mapping[str, TokenRow] = {}
        self._used: dict[str, float] = {}

    def load(self) -> None:
        """Read the file; raises AccessFileError."""
        self._take(read_rows(self._file))

    def rows(self) -> list[TokenRow]:
        """All of them, the oldest first, each with its last use."""
        return [self._with_use(row) for row in self._rows.values()]

    def has_live(self) -> bool:
        """Whether any of them opens anything."""
        return any(row.is_live(self.clock()) for row in self._rows.values())

    def find(self, token: str) -> TokenRow | None:
        """The live token that this is.

        What is looked up is the SHA-256 of what the caller sent, so the time that the dictionary takes tells
        nothing that the caller could steer towards a digest it does not know.
        """
        if not is_well_formed(token):
            return None
        digest = digest_of(token)
        row = self._by_digest.get(digest)
        if row is None or not hmac.compare_digest(row.digest, digest) or not row.is_live(self.clock()):
            return None
        self._used[row.id] = self.clock() // GRAIN * GRAIN
        return row

    def get(self, token_id: str) -> TokenRow | None:
        """The token of this id, dead or alive."""
        return self._rows.get(token_id)

    def is_live(self, token_id: str) -> bool:
        """Whether the token of this id opens anything."""
        row = self._rows.get(token_id)
        return row is not None and row.is_live(self.clock())

    def next_expiry(self) -> float | None:
        """When the next live token expires, in seconds since the epoch."""
        now = self.clock()
        return min(
            (row.expires for row in self._rows.values() if row.expires and row.is_live(now)), default=None
        )

    def create(self, order: TokenOrder) -> tuple[TokenRow, str]:
        """Make one, which is on disk when this returns; the text is told once. Raises TokenError, OSError."""
        if len(order.name) > LONGEST_NAME or not order.name.isprintable():
            raise TokenError(f"a token's name has up to {LONGEST_NAME} printable characters")
        token, now = make_token(), self.clock()
        expires = None if order.lifetime is None else now + order.lifetime
        with self._writing:
            rows = self._make_room(now)
            token_id = _new_id(rows)
            row = TokenRow(token_id, order.name or token_id, digest_of(token), order.scopes, now, expires)
            rows[token_id] = row
            write_rows(self._file, map(self._with_use, rows.values()))
            self._take(rows)
        return row, token

    def revoke(self, token_id: str) -> TokenRow:
        """Have it open nothing from now on; raises UnknownTokenError, and OSError if that is not on disk."""
        with self._writing:
            rows = dict(self._rows)
            if token_id not in rows:
                raise UnknownTokenError(f"there is no token {token_id[:40]!r}; `fnhost token list` has all")
            row = rows[token_id]
            if row.revoked is None:
                row = rows[token_id] = replace(row, revoked=self.clock())
                # First in memory: a full disk must not keep a stolen token in service.
                self._take(rows)
            write_rows(self._file, map(self._with_use, rows.values()))
        return row

    def flush(self) -> None:
        """Write down when tokens were last used, if they were since the last time. Raises OSError."""
        with self._writing:
            used = [row for row in self.rows() if row != self._rows[row.id]]
            if used:
                rows = {**self._rows, **{row.id: row for row in used}}
                write_rows(self._file, rows.values())
                self._take(rows)

    def _take(self, rows: Mapping[str, TokenRow]) -> None:
        self._rows, self._by_digest = rows, {row.digest: row for row in rows.values()}

    def _with_use(self, row: TokenRow) -> TokenRow:
        used = self._used.get(row.id)
        return row if used is None else replace(row, last_used=used)

    def _make_room(self, now: float) -> dict[str, TokenRow]:
        rows = dict(self._rows)
        if len(rows) >= MOST:
            dead = next((row.id for row in rows.values() if not row.is_live(now)), None)
            if dead is None:
                raise TokenError(f"there are {MOST} live tokens already; revoke one first")
            del rows[dead]
        return rows


def has_live_token(state_dir: Path) -> bool:
    """Whether the state folder knows a token that opens something; raises AccessFileError."""
    tokens = Tokens(state_dir / FILE, time.time)
    tokens.load()
    return tokens.has_live()


def _new_id(taken: Iterable[str]) -> str:
    while (token_id := secrets.token_hex(ID_BYTES)) in taken:
        pass
    return token_id
