"""How the store comes to a database that it can trust: examined, mended, brought up to date, read."""

import logging
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triggers.store.database import (
    PAGE,
    DamagedFileError,
    blames_disk,
    check_version,
    connect,
    is_full,
    migrate,
    pragma,
)
from triggers.store.failpoints import Failpoints
from triggers.store.found import Found, find_all
from triggers.store.log import committed_frames
from triggers.store.salvage import finish_salvage, keep_damaged, salvage
from triggers.store.sealing import DamagedRowError
from triggers.store.tables import Table

logger = logging.getLogger(__name__)

MOST_CHECKED = 256 * 1024 * 1024
"""Bytes above which a file is not checked as a whole (1.6 ms for a MiB), but only row by row."""


@dataclass(frozen=True)
class Opened:
    """The connection that writes, what was there, and at least how many rows were damaged or lost."""

    database: sqlite3.Connection
    found: Found
    damaged: int


def open_database(path: Path, failpoints: Failpoints) -> Opened:
    """The database at `path`, if need be a new one with what could be saved from a damaged one.

    Raises OSError or sqlite3.Error when not even a new one can be made, and NewerDatabaseError.
    """
    finish_salvage(path)
    try:
        return _open(path, failpoints)
    except sqlite3.Error as error:
        if blames_disk(error):
            raise
        return mend(path, error, failpoints)


def mend(path: Path, reason: BaseException, failpoints: Failpoints) -> Opened:
    """A new database with what can be saved from the damaged one at `path`, which nobody has open."""
    lost = 1 if finish_salvage(path) else salvage(path, reason, failpoints).lost
    opened = _open(path, failpoints)
    return Opened(opened.database, opened.found, lost + opened.damaged)


def _open(path: Path, failpoints: Failpoints) -> Opened:
    promised = committed_frames(path.with_name(f"{path.name}-wal"))
    database = connect(path)
    try:
        failpoints.reach("store.opening")
        _check_writable(database)
        lost = _examine_log(database, path, promised)
        version = check_version(database, path)
        _check_file(database)
        migrate(database, version, failpoints)
        found = find_all(database)
        for table, rowid in found.damaged:
            _set_aside(database, table, rowid)
        failpoints.reach("store.recovered")
    except BaseException:
        database.close()
        raise
    return Opened(database, found, lost + len(found.damaged))


def _check_writable(database: sqlite3.Connection) -> None:
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("PRAGMA user_version = 0")
        database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        # The file could be opened for writing, so this is what its header says.
        if error.sqlite_errorcode == sqlite3.SQLITE_READONLY:
            raise DamagedFileError("its header forbids writing") from error
        raise


def _examine_log(database: sqlite3.Connection, path: Path, promised: int) -> int:
    """Write the log back; 1 when some of it could not be used."""
    try:
        _, kept, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    except sqlite3.OperationalError as error:
        if not is_full(error):
            raise
        return 0
    if promised <= kept:
        return 0
    logger.error(
        "the log of %s was damaged at page %d: what the %d pages from there on said is lost",
        *(path, kept + 1, promised - kept),
        extra={"event": "store.damaged", "file": str(path), "pages": promised - kept},
    )
    return 1


def _check_file(database: sqlite3.Connection) -> None:
    if pragma(database, "page_count") * PAGE > MOST_CHECKED:
        return
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise DamagedFileError(verdict)


def _set_aside(database: sqlite3.Connection, table: Table[Any], rowid: int) -> None:
    """Of a disk that is full the row is not moved: whoever reads it next will see for himself."""
    try:
        database.execute("BEGIN IMMEDIATE")
        set_aside(database, table, rowid)
        database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if not blames_disk(error):
            raise
        with suppress(sqlite3.Error):
            database.execute("ROLLBACK")


def set_aside(database: sqlite3.Connection, table: Table[Any], rowid: int) -> bool:
    """Move a row that is not sound to the damaged ones; False when there is none by now."""
    values = database.execute(f"{table.select} WHERE rowid = ?", (rowid,)).fetchone()
    if values is None:
        return False
    with suppress(DamagedRowError):
        table.decode(values)
        return False
    keep_damaged(database, table, values)
    database.execute(f"DELETE FROM {table.name} WHERE rowid = ?", (rowid,))  # noqa: S608 - a constant
    fields = {"event": "store.damaged", "table": table.name, "row": rowid}
    logger.error("row %d of %s was damaged and is set aside", rowid, table.name, extra=fields)
    return True
