"""The tokens on disk: `access.json` in the state folder, for the host's user only, replaced as a whole."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.durable import rename_durably
from host.access.scopes import Scopes, parse_scopes

FILE = "access.json"
VERSION = 1


class AccessFileError(Exception):
    """The file cannot be read; nobody is let in by a guess at what it said."""


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without itself. Times are seconds since the epoch; None: never."""

    id: str
    name: str
    digest: str
    scopes: Scopes
    created: float
    expires: float | None = None
    last_used: float | None = None
    revoked: float | None = None

    def is_live(self, now: float) -> bool:
        """Whether it opens anything."""
        return self.revoked is None and (self.expires is None or now < self.expires)

    def shown(self) -> dict[str, Any]:
        """As the API shows it."""
        return {**_plain(self), "scopes": [str(scope) for scope in self.scopes]}


def _plain(row: TokenRow) -> dict[str, Any]:
    names = ("id", "name", "created", "expires", "last_used", "revoked")
    return {name: getattr(row, name) for name in names}


def read_rows(file: Path) -> dict[str, TokenRow]:
    """The tokens by id; none where there is no file. Raises AccessFileError."""
    try:
        told = json.loads(file.read_bytes())
        if told["version"] != VERSION:
            raise ValueError(f"version {told['version']}")
        rows = [TokenRow(**{**row, "scopes": parse_scopes(row["scopes"])}) for row in told["tokens"]]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AccessFileError(
            f"the tokens in {file} cannot be read ({error}); mend the file, or delete it and make new ones"
        ) from None
    return {row.id: row for row in rows}


def write_rows(file: Path, rows: Iterable[TokenRow]) -> None:
    """Replace the file; when this returns it survives a power failure. Raises OSError."""
    told = {"version": VERSION, "tokens": [{**row.shown(), "digest": row.digest} for row in rows]}
    new = file.with_name(file.name + ".new")
    write_private(new, json.dumps(told, ensure_ascii=False, indent=1))
    rename_durably(new, file)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read; one that is there already goes first. Raises OSError."""
    file.unlink(missing_ok=True)
    # Neither a link that somebody left there is followed, nor a moment passes in which others could read.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
