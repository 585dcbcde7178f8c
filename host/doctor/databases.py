"""Looks into the databases of a state folder without changing a byte of them."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from conf.quantities import say_size
from functions import registry
from host.doctor.findings import Finding, State
from triggers.store import database as delivery
from triggers.store.opening import MOST_CHECKED

WHY_NEWER = "this fnhost cannot know what stands in it, and would refuse to start"
START_NEWER = "start that newer fnhost, or choose another folder with --state"


@dataclass(frozen=True)
class Known:
    """A database of the host: its scheme's version, and what comes of it when it is damaged."""

    file: str
    version: int
    state: State
    why: str
    remedy: str


DATABASES = (
    Known(
        "registry.db",
        len(registry.MIGRATIONS),
        "fault",
        "it says which functions are deployed, and the host does not start without it",
        "put a back-up in its place, or `mv {file} {file}.damaged` and deploy the packages again",
    ),
    Known(
        "delivery.db",
        len(delivery.MIGRATIONS),
        "lack",
        "what waits in it can be lost; the next start saves its sound rows, and keeps it as it is now",
        "start the host; what it says of `delivery.damaged-…` tells what was lost",
    ),
)


def check_databases(root: Path) -> list[Finding]:
    """Each database that there is."""
    return [_check(root / known.file, known) for known in DATABASES if _holds(root / known.file)]


def _holds(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


def _check(file: Path, known: Known) -> Finding:
    try:
        with closing(_open(file)) as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            verdict = _quick_check(database, file)
    except sqlite3.Error as error:
        return _damaged(file, known, str(error))
    if verdict != "ok":
        return _damaged(file, known, verdict)
    if version > known.version:
        told = (
            f"{file} was written by a newer fnhost (version {version} of its scheme; known: {known.version})"
        )
        return Finding(known.file, "fault", told, WHY_NEWER, START_NEWER)
    return Finding(known.file, "ok", f"whole, {say_size(file.stat().st_size)}")


def _open(file: Path) -> sqlite3.Connection:
    # Without a log, SQLite would make the files of one to read a database in WAL mode.
    log = file.with_name(f"{file.name}-wal")
    options = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(file))}?{options}", uri=True, timeout=1.0)


def _quick_check(database: sqlite3.Connection, file: Path) -> str:
    if file.stat().st_size > MOST_CHECKED:
        return "ok"
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    return str(verdict)


def _damaged(file: Path, known: Known, verdict: str) -> Finding:
    told = f"{file} is damaged ({verdict})"
    return Finding(known.file, known.state, told, known.why, known.remedy.format(file=file))
