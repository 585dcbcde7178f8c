"""Looks whether what the state folder holds are files and folders where the host needs them to be."""

from collections.abc import Iterator
from pathlib import Path

from host.access.local_token import STATE_FILE
from host.access.session_file import FILE as SESSIONS
from host.access.token_file import FILE as TOKENS
from host.saved_events import FILE as EVENTS

FILES = (
    *("host.lock", "owner", "registry.db", "delivery.db", "records.db", "usage.json"),
    *(EVENTS, TOKENS, SESSIONS, STATE_FILE),
)
FOLDERS = ("packages", "environments", "output", "shared-output", "logs", "staging", "downloads", "byte-code")


def misplaced(root: Path) -> Iterator[tuple[Path, str]]:
    """Each entry that is of the wrong kind, and what is wrong with it."""
    for name in FILES:
        file = root / name
        if file.exists() and not file.is_file():
            yield file, "has to be a file, and is a folder" if file.is_dir() else "has to be a plain file"
    for name in FOLDERS:
        folder = root / name
        if folder.exists() and not folder.is_dir():
            yield folder, "has to be a folder, and is a file"


def move_aside(entry: Path) -> str:
    """The command that makes its place free."""
    return f"`mv {entry} {entry}.aside`"
