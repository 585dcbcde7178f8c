"""The devices on disk: one SQLite file with a checksum in each row, whose loss costs nothing else."""

import logging
import sqlite3
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path

from host.observing.devices.stored import Stored
from triggers.store.database import DamagedFileError, connect, is_damage

logger = logging.getLogger(__name__)

VERSION = 1
SCHEME = """
    CREATE TABLE devices (
        name TEXT PRIMARY KEY,
        seen REAL NOT NULL,
        sum INTEGER NOT NULL,
        told BLOB NOT NULL
    ) STRICT;
"""


class DeviceStore:
    """For one thread at a time; all methods block, and raise OSError and sqlite3.Error.

    A damaged file is put aside, and a fresh one begun; a damaged row is left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database: sqlite3.Connection | None = None

    def read(self) -> list[Stored]:
        """What an earlier life of the host has left, those that were silent longest first."""
        try:
            return self._read()
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._put_aside(error)
            return self._read()

    def write(self, changed: Iterable[Stored], gone: Collection[str]) -> None:
        """These are as told, and those are no more."""
        try:
            self._write(changed, gone)
        except sqlite3.Error as error:
            if not is_damage(error):
                raise
            self._put_aside(error)
            self._write(changed, gone)

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _read(self) -> list[Stored]:
        rows = (
            self._opened().execute("SELECT name, seen, sum, told FROM devices ORDER BY seen, name").fetchall()
        )
        return [Stored(name, seen, told) for name, seen, found, told in rows if _sum(name, told) == found]

    def _write(self, changed: Iterable[Stored], gone: Collection[str]) -> None:
        database = self._opened()
        rows = [(each.name, each.seen, _sum(each.name, each.told), each.told) for each in changed]
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany("INSERT OR REPLACE INTO devices VALUES (?, ?, ?, ?)", rows)
            database.executemany("DELETE FROM devices WHERE name = ?", [(name,) for name in gone])
            database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        # The log is as long as what one minute brings, and need not lie about for the next.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            database = connect(self.path)
            try:
                database.execute("PRAGMA synchronous = NORMAL")
                _check(database)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _put_aside(self, error: sqlite3.Error) -> None:
        self.close()
        aside = self.path.with_suffix(".damaged")
        self.path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        said = "%s is damaged (%s): what was known of devices is put aside as %s, and they are learned anew"
        logger.error(said, self.path, error, aside)


def _check(database: sqlite3.Connection) -> None:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version == 0:
        database.executescript(f"BEGIN; {SCHEME} PRAGMA user_version = {VERSION}; COMMIT")
    elif version != VERSION:
        raise DamagedFileError(f"it is of version {version}, and this fnhost knows {VERSION}")


def _sum(name: str, told: bytes) -> int:
    return zlib.crc32(told, zlib.crc32(name.encode("utf-8", "surrogatepass")))
