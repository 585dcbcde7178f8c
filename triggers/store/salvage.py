"""A damaged file is put aside as it is, and a fresh one is made of all its rows that are still sound."""

import logging
import shutil
import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from functions.durable import rename_durably
from triggers.store.database import PAGE, connect, connect_reader, migrate
from triggers.store.failpoints import Failpoints
from triggers.store.found import walk
from triggers.store.sealing import DamagedRowError
from triggers.store.tables import TABLES, Table, Values

logger = logging.getLogger(__name__)

LAST_ROWID = 2**63 - 1
MOST_ASIDES = 5
"""Damaged files that are kept; the oldest go first."""
_SIDES = ("-wal", "-shm")


@dataclass
class Salvaged:
    """`saved` counts sound rows, `damaged` those that are not, `holes` places where nothing can be read."""

    saved: int = 0
    damaged: int = 0
    holes: int = 0

    @property
    def lost(self) -> int:
        """At least so many rows are lost; never 0, for a file is not salvaged without a reason."""
        return max(1, self.damaged + self.holes)


def salvage(path: Path, reason: BaseException, failpoints: Failpoints) -> Salvaged:
    """Put the database at `path`, which nobody has open, aside; a fresh one takes its place.

    Raises OSError or sqlite3.Error when that cannot be made. A crash at any moment leaves the old or the new.
    """
    fresh = _fresh(path)
    _remove(fresh)
    with closing(connect(fresh)) as target:
        migrate(target, 0, failpoints)
    head = fresh.read_bytes()[:PAGE]
    done = Salvaged()
    with closing(connect(fresh)) as target:
        if _has_sound_head(path, head) and _has_scheme(path, target):
            _copy(path, target, done)
        else:
            _copy_with_head(path, target, head, done)
    aside = _put_aside(path)
    rename_durably(fresh, path)
    logger.error(
        "%s was damaged (%s): %d rows were saved from it, %d were not sound and %d places could not be read;"
        " it is kept as %s",
        *(path, reason, done.saved, done.damaged, done.holes, aside),
        extra={"event": "store.damaged", "file": str(path), "saved": done.saved, "lost": done.damaged},
    )
    return done


def finish_salvage(path: Path) -> bool:
    """Bring to its end what a crash has interrupted; whether there was such a thing. Raises OSError."""
    fresh = _fresh(path)
    if path.exists() or not fresh.exists():
        _remove(fresh)
        return False
    _put_aside(path)
    rename_durably(fresh, path)
    return True


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.stem}.salvaged{path.suffix}")


def _remove(path: Path) -> None:
    for side in ("", *_SIDES):
        path.with_name(path.name + side).unlink(missing_ok=True)


def _put_aside(path: Path) -> Path:
    """Rename the file and what belongs to it; the file first, for that says that the fresh one is whole."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside, number = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}"), 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.stem}.damaged-{stamp}-{number}{path.suffix}")
    for side in ("", *_SIDES):
        with suppress(FileNotFoundError):
            path.with_name(path.name + side).rename(aside.with_name(aside.name + side))
    _bound_asides(path)
    return aside


def _bound_asides(path: Path) -> None:
    """A card that fails again and again must not fill itself with what it has spoilt."""
    asides = path.parent.glob(f"{path.stem}.damaged-*{path.suffix}")
    for old in sorted(asides, key=lambda aside: aside.stat().st_mtime)[:-MOST_ASIDES]:
        _remove(old)


def _has_sound_head(path: Path, head: bytes) -> bool:
    """Whether page size and the like are what they always are, and the number of pages that of the file."""
    with path.open("rb") as file:
        found = file.read(len(head))
    return found[:24] == head[:24] and found[28:32] == struct.pack(">I", path.stat().st_size // PAGE)


def _has_scheme(path: Path, target: sqlite3.Connection) -> bool:
    query = "SELECT name, rootpage, sql FROM sqlite_schema ORDER BY name"
    try:
        with closing(connect_reader(path)) as source:
            found = source.execute(query).fetchall()
    except sqlite3.Error:
        return False
    return found == target.execute(query).fetchall()


def _copy_with_head(path: Path, target: sqlite3.Connection, head: bytes, done: Salvaged) -> None:
    """Read it with the first page of a new database: the tables lie where they always do."""
    mended = path.with_name(f"{path.stem}.mended{path.suffix}")
    _remove(mended)
    try:
        for side in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(path.name + side), mended.with_name(mended.name + side))
        with mended.open("r+b") as file:
            size = mended.stat().st_size // PAGE
            # Size in pages, and no free ones; then the counter of 24 again: fileformat2.html, section 1.3.
            file.write(head[:28] + struct.pack(">3I", size, 0, 0) + head[40:92] + head[24:28] + head[96:])
        _copy(mended, target, done)
    finally:
        _remove(mended)


def _copy(path: Path, target: sqlite3.Connection, done: Salvaged) -> None:
    try:
        source = connect_reader(path)
    except sqlite3.Error:
        done.holes += 1
        return
    with closing(source):
        for table in TABLES:
            target.execute("BEGIN IMMEDIATE")
            for _, values in _readable(source, table, done):
                _save(target, table, values, done)
            target.execute("COMMIT")


def _save(target: sqlite3.Connection, table: Table[Any], values: Values, done: Salvaged) -> None:
    try:
        table.decode(values)
    except DamagedRowError:
        keep_damaged(target, table, values)
        done.damaged += 1
    else:
        target.execute(table.insert(1), values)
        done.saved += 1


def keep_damaged(database: sqlite3.Connection, table: Table[Any], values: Values) -> None:
    """Keep a row that is not sound, as a Python literal, for whoever wants to look at it."""
    query = "INSERT INTO damaged (origin, raw) VALUES (?, ?)"
    database.execute(query, (table.name, ascii(values)))


def _readable(source: sqlite3.Connection, table: Table[Any], done: Salvaged) -> Iterator[tuple[int, Values]]:
    after: int | None = -1
    while after is not None:
        try:
            for rowid, values in walk(source, table, after):
                after = rowid
                yield rowid, values
            return
        except sqlite3.DatabaseError:
            done.holes += 1
            after = _beyond(source, table, after)


def _beyond(source: sqlite3.Connection, table: Table[Any], low: int) -> int | None:
    """The least rowid after which something can be read again, or None; galloping, then by halves."""
    step = 1
    while low + step < LAST_ROWID and not _can_read(source, table, low + step):
        low, step = low + step, step * 2
    high = low + step
    if high >= LAST_ROWID:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _can_read(source, table, middle) else (middle, high)
    return high


def _can_read(source: sqlite3.Connection, table: Table[Any], after: int) -> bool:
    try:
        next(walk(source, table, after), None)
    except sqlite3.DatabaseError:
        return False
    return True
