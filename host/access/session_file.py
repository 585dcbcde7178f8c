"""Sessions on disk: `sessions.json` in the state folder, so that a restart of the host signs nobody out."""

import json
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from functions.durable import rename_durably
from host.access.token_file import write_private

logger = logging.getLogger(__name__)

FILE = "sessions.json"
VERSION = 1


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session without its cookie, of which it has the digest; `who` is `local` or `token:ID`.

    What its token may do is not kept: the token itself says so when the session is read. `expires` is in
    seconds since the epoch.
    """

    digest: str
    who: str
    expires: float


def read_sessions(file: Path) -> list[SessionRow]:
    """Those of the host's last life; none where they cannot be read, and then people sign in again."""
    try:
        told = json.loads(file.read_bytes())
        if told["version"] != VERSION:
            raise ValueError(f"version {told['version']}")
        return [_check(SessionRow(**row)) for row in told["sessions"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("the sessions in %s cannot be read (%s): browsers have to sign in again", file, error)
        return []


def _check(row: SessionRow) -> SessionRow:
    texts = (row.digest, row.who)
    if not all(isinstance(each, str) and each for each in texts) or not isinstance(row.expires, float):
        raise ValueError("a row is not as this version writes it")
    return row


def write_sessions(file: Path, rows: Iterable[SessionRow]) -> None:
    """Replace the file, which only the host's user can read. Raises OSError."""
    told = {"version": VERSION, "sessions": [asdict(row) for row in rows]}
    new = file.with_name(file.name + ".new")
    write_private(new, json.dumps(told))
    rename_durably(new, file)
