"""The delivery database as a file: how it is opened, how its scheme came to be, and what its errors mean."""

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from triggers.store.failpoints import Failpoints

PAGE = 4096
PATIENCE = 1.0
"""Seconds to wait for somebody else's lock: nobody but a person with a tool of their own should have one."""

APPLICATION = 0x666E6400
"""`fnd`; with the version added it stands in the header a second time, so that damage is no newer version."""

MIGRATIONS = (
    """
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY,
        lane TEXT NOT NULL,
        event_id TEXT NOT NULL,
        head TEXT NOT NULL,
        key TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        due REAL NOT NULL,
        source BLOB NOT NULL,
        body BLOB NOT NULL,
        seal BLOB NOT NULL
    ) STRICT;
    CREATE INDEX events_by_lane ON events (lane);
    CREATE TABLE results (
        seq INTEGER PRIMARY KEY,
        target TEXT NOT NULL,
        event_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        function TEXT NOT NULL,
        topic TEXT NOT NULL,
        qos INTEGER NOT NULL,
        retain INTEGER NOT NULL,
        created REAL NOT NULL,
        timeout REAL NOT NULL,
        total INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        source BLOB NOT NULL,
        properties BLOB NOT NULL,
        payload BLOB NOT NULL,
        seal BLOB NOT NULL
    ) STRICT;
    CREATE INDEX results_by_target ON results (target);
    CREATE TABLE letters (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        lane TEXT NOT NULL,
        rule TEXT NOT NULL,
        function TEXT NOT NULL,
        event_id TEXT NOT NULL,
        error_type TEXT NOT NULL,
        message TEXT NOT NULL,
        key TEXT NOT NULL,
        head TEXT NOT NULL,
        stack TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        first REAL NOT NULL,
        died REAL NOT NULL,
        source BLOB NOT NULL,
        body BLOB NOT NULL,
        seal BLOB NOT NULL
    ) STRICT;
    CREATE TABLE invocations (
        id TEXT PRIMARY KEY,
        function TEXT NOT NULL,
        state TEXT NOT NULL,
        callback TEXT NOT NULL,
        callback_state TEXT NOT NULL,
        created REAL NOT NULL,
        expires REAL NOT NULL,
        attempts INTEGER NOT NULL,
        finished REAL NOT NULL,
        result TEXT NOT NULL,
        error TEXT NOT NULL,
        body BLOB,
        seal BLOB NOT NULL
    ) STRICT;
    CREATE TABLE moments (name TEXT PRIMARY KEY, moment REAL NOT NULL, seal BLOB NOT NULL) STRICT;
    CREATE TABLE seen (
        place INTEGER PRIMARY KEY, rule TEXT NOT NULL, key TEXT NOT NULL, moment REAL NOT NULL,
        seal BLOB NOT NULL
    ) STRICT;
    CREATE TABLE ages (seq INTEGER PRIMARY KEY, ran REAL NOT NULL, seal BLOB NOT NULL) STRICT;
    CREATE TABLE damaged (number INTEGER PRIMARY KEY, origin TEXT NOT NULL, raw TEXT NOT NULL) STRICT;
    """,
)

WRONG_IN_ITSELF = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    ValueError,
    TypeError,
    OverflowError,
    AttributeError,
    RecursionError,
)
"""What a change that cannot be written raises, however sound the disk is."""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CIRCUMSTANCES = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
)


class NewerDatabaseError(ValueError):
    """The database was written by a newer fnhost than this one."""


class DamagedFileError(sqlite3.DatabaseError):
    """What stands in the file is no delivery database, or contradicts itself."""


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is damaged, rather than the disk full or away."""
    if isinstance(error, DamagedFileError):
        return True
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE


def blames_disk(error: sqlite3.Error) -> bool:
    """Whether an error of opening is of the disk or the folder, so that a fresh file would meet it, too."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _CIRCUMSTANCES


def is_full(error: BaseException) -> bool:
    """Whether an error says that there is no room, on the disk or within the quota."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL


def connect(path: Path) -> sqlite3.Connection:
    """The one connection that writes; the file is made if need be, readable by its owner only."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    database = _connection(path, "rw")
    try:
        # Its own checkpoints are made by the writer, in its own time; this one only bounds the log.
        for pragma in ("synchronous = FULL", "wal_autocheckpoint = 4000", "cell_size_check = ON"):
            database.execute(f"PRAGMA {pragma}")
        database.execute(f"PRAGMA page_size = {PAGE}")
        database.execute("PRAGMA journal_mode = WAL")
    except BaseException:
        database.close()
        raise
    return database


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write."""
    return _connection(path, "ro")


def _connection(path: Path, mode: str) -> sqlite3.Connection:
    address = f"file:{quote(str(path))}?mode={mode}"
    database = sqlite3.connect(
        address, uri=True, isolation_level=None, check_same_thread=False, timeout=PATIENCE
    )
    # Damaged text is no error before its row was compared with its checksum.
    database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
    return database


def check_version(database: sqlite3.Connection, path: Path) -> int:
    """The version of the scheme, 0 in a new file.

    Raises NewerDatabaseError, and DamagedFileError for a file whose header contradicts itself.
    """
    version = _version(database)
    if version > len(MIGRATIONS):
        raise NewerDatabaseError(
            f"{path} was written by a newer fnhost (version {version} of its scheme; this one knows"
            f" {len(MIGRATIONS)}): start that fnhost, or move the file away, with the events in it"
        )
    return version


def migrate(database: sqlite3.Connection, version: int, failpoints: Failpoints) -> None:
    """Bring the scheme from `version` up to date; each step is one transaction."""
    for number, migration in enumerate(MIGRATIONS[version:], version + 1):
        # Not executescript(): it would commit what is open before the failpoint.
        database.execute("BEGIN IMMEDIATE")
        for statement in migration.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {number}")
        database.execute(f"PRAGMA application_id = {APPLICATION + number}")
        failpoints.reach("store.migrating")
        database.execute("COMMIT")


def _version(database: sqlite3.Connection) -> int:
    version = int(pragma(database, "user_version"))
    application = int(pragma(database, "application_id"))
    (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if (application, version, tables) == (0, 0, 0):
        return 0
    if version == 0 or application != APPLICATION + version:
        raise DamagedFileError(f"its header has application {application:#x}, version {version}")
    return version


def pragma(database: sqlite3.Connection, name: str) -> int:
    """The number that a pragma tells."""
    (value,) = database.execute(f"PRAGMA {name}").fetchone()
    return int(value)
