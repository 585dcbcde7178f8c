"""What is deployed: functions, their revisions and aliases, in one SQLite database."""

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

State = Literal["building", "ready", "failed"]

MIGRATIONS = (
    """
    CREATE TABLE functions (
        name TEXT PRIMARY KEY,
        last_number INTEGER NOT NULL DEFAULT 0,
        instances INTEGER
    ) STRICT;
    CREATE TABLE revisions (
        function TEXT NOT NULL REFERENCES functions (name),
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        manifest_json TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('building', 'ready', 'failed')),
        error TEXT,
        created REAL NOT NULL,
        PRIMARY KEY (function, number),
        UNIQUE (function, sha256)
    ) STRICT;
    CREATE TABLE aliases (
        function TEXT NOT NULL,
        alias TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (function, alias),
        FOREIGN KEY (function, number) REFERENCES revisions (function, number)
    ) STRICT;
    """,
    # One package may have several environments: what the config adds to it is part of a revision's identity.
    """
    CREATE TABLE new_revisions (
        function TEXT NOT NULL REFERENCES functions (name),
        number INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        base TEXT NOT NULL,
        manifest_json TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('building', 'ready', 'failed')),
        error TEXT,
        created REAL NOT NULL,
        PRIMARY KEY (function, number),
        UNIQUE (function, sha256, base)
    ) STRICT;
    INSERT INTO new_revisions
        SELECT function, number, sha256, '', manifest_json, state, error, created FROM revisions;
    DROP TABLE revisions;
    ALTER TABLE new_revisions RENAME TO revisions;
    """,
    # A queue may have been longer before it had a bound.
    """
    UPDATE revisions SET manifest_json = json_set(manifest_json, '$.queue', 100000)
        WHERE json_extract(manifest_json, '$.queue') > 100000;
    """,
)
COLUMNS = "function, number, sha256, base, manifest_json, state, error, created"


@dataclass(frozen=True, slots=True)
class Revision:
    """One immutable deployed package; `created` is in seconds since the epoch.

    `base` is what the config added to its environment, empty when that was nothing.
    """

    function: str
    number: int
    sha256: str
    base: str
    manifest_json: str
    state: State
    error: str | None
    created: float


@dataclass(frozen=True, slots=True)
class Row:
    """What decides whether a revision's files are needed."""

    function: str
    number: int
    sha256: str
    state: State


@dataclass(slots=True)
class Stored:
    """What is known of one function: its revisions and aliases, and the instances that were told."""

    revisions: dict[int, Revision] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    instances: int | None = None


class Registry:
    """The functions of one host. Every method is one transaction and may be called from any thread.

    What a method has returned from survives a power failure. Raises sqlite3.Error when the database cannot
    be read or written, and LookupError for a revision that is not there.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._setup(path)
        except BaseException as error:
            self._database.close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (
                sqlite3.SQLITE_CORRUPT,
                sqlite3.SQLITE_NOTADB,
            ):
                raise sqlite3.DatabaseError(
                    f"{path} is damaged ({error}): put a back-up in its place, or move it away and deploy the"
                    " packages again"
                ) from error
            raise

    def _setup(self, path: Path) -> None:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = OFF",
            "busy_timeout = 5000",
        ):
            self._database.execute(f"PRAGMA {pragma}")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > len(MIGRATIONS):
            raise sqlite3.DatabaseError(
                f"{path} was written by a newer fnhost: start that one, or choose another --state"
            )
        for number, migration in enumerate(MIGRATIONS[version:], version + 1):
            self._database.executescript(
                f"BEGIN IMMEDIATE; {migration}; PRAGMA user_version = {number}; COMMIT"
            )
        # Only now: a migration that replaces a table drops the one that others point at.
        self._database.execute("PRAGMA foreign_keys = ON")

    def close(self) -> None:
        """Close the database; call it once, last."""
        with self._lock:
            self._database.close()

    def add_revision(
        self, function: str, sha256: str, manifest_json: str, base: str = ""
    ) -> tuple[Revision, bool]:
        """The revision of this package, and whether it is new; new ones are in state "building".

        The same sha256 with the same base is the same revision. One that had failed is "building" again,
        under its number.
        """
        with self._transaction() as database:
            known = _find(database, "function = ? AND sha256 = ? AND base = ?", function, sha256, base)
            if known and known[0].state != "failed":
                return known[0], False
            if known:
                self._retry(database, known[0], manifest_json)
                return _find(database, "function = ? AND number = ?", function, known[0].number)[0], False
            number = _next_number(database, function)
            revision = Revision(function, number, sha256, base, manifest_json, "building", None, time.time())
            marks = ", ".join("?" * len(fields(Revision)))
            database.execute(f"INSERT INTO revisions ({COLUMNS}) VALUES ({marks})", astuple(revision))  # noqa: S608
            return revision, True

    def _retry(self, database: sqlite3.Connection, failed: Revision, manifest_json: str) -> None:
        database.execute(
            "UPDATE revisions SET state = 'building', error = NULL, manifest_json = ?"
            " WHERE function = ? AND number = ?",
            (manifest_json, failed.function, failed.number),
        )

    def functions(self) -> dict[str, Stored]:
        """All functions that have a revision, by name in order; the revisions of each by number."""
        with self._transaction() as database:
            known: dict[str, Stored] = {}
            for revision in _share(_find(database, "TRUE")):
                known.setdefault(revision.function, Stored()).revisions[revision.number] = revision
            for function, alias, number in database.execute("SELECT * FROM aliases ORDER BY alias"):
                known[function].aliases[alias] = number
            told = "SELECT name, instances FROM functions WHERE instances IS NOT NULL"
            for function, instances in database.execute(told):
                known[function].instances = instances
            return known

    def rows(self) -> list[Row]:
        """Every revision, in brief."""
        with self._transaction() as database:
            query = "SELECT function, number, sha256, state FROM revisions"
            return [Row(*row) for row in database.execute(query)]

    def remove_revisions(self, function: str, numbers: Iterable[int]) -> None:
        """Forget these revisions but those that an alias points at; their numbers are not given out again."""
        with self._transaction() as database:
            change = (
                "DELETE FROM revisions WHERE function = ?1 AND number = ?2 AND NOT EXISTS"
                " (SELECT 1 FROM aliases WHERE function = ?1 AND number = ?2)"
            )
            database.executemany(change, [(function, number) for number in numbers])

    def fail_unfinished(self, error: str) -> None:
        """Revisions that are being built have failed; for the start, when nobody builds any."""
        with self._transaction() as database:
            change = "UPDATE revisions SET state = 'failed', error = ? WHERE state = 'building'"
            database.execute(change, (error,))

    def set_state(self, function: str, number: int, state: State, error: str | None) -> None:
        """Record how far a revision has come; `error` says why it failed."""
        with self._transaction() as database:
            change = "UPDATE revisions SET state = ?, error = ? WHERE function = ? AND number = ?"
            if not database.execute(change, (state, error, function, number)).rowcount:
                raise LookupError(f"there is no revision {function}@{number}")

    def set_alias(self, function: str, alias: str, number: int) -> None:
        """Point `alias` at a revision."""
        with self._transaction() as database:
            if not _find(database, "function = ? AND number = ?", function, number):
                raise LookupError(f"there is no revision {function}@{number}")
            database.execute("INSERT OR REPLACE INTO aliases VALUES (?, ?, ?)", (function, alias, number))

    def set_instances(self, function: str, instances: int | None) -> None:
        """Fix the number of instances at run time; None returns to the manifest's scale."""
        with self._transaction() as database:
            change = (
                "UPDATE functions SET instances = ?"
                " WHERE name IN (SELECT function FROM revisions WHERE function = ?)"
            )
            if not database.execute(change, (instances, function)).rowcount:
                raise LookupError(f"there is no function {function}")

    def remove(self, function: str) -> None:
        """Forget the function's revisions and aliases. Its numbers are not given out again."""
        with self._transaction() as database:
            database.execute("DELETE FROM aliases WHERE function = ?", (function,))
            database.execute("DELETE FROM revisions WHERE function = ?", (function,))
            database.execute("UPDATE functions SET instances = NULL WHERE name = ?", (function,))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:  # a full disk fails the COMMIT, and may or may not end it
                    self._database.execute("ROLLBACK")


def _find(database: sqlite3.Connection, where: str, *values: str | int) -> list[Revision]:
    query = f"SELECT {COLUMNS} FROM revisions WHERE {where} ORDER BY function, number"  # noqa: S608 - constants only
    return [Revision(*row) for row in database.execute(query, values)]


def _share(revisions: list[Revision]) -> Iterator[Revision]:
    """The same revisions, with one object for all equal texts: most manifests say the same."""
    texts: dict[str, str] = {}
    for each in revisions:
        name, sha256, base, manifest = (
            texts.setdefault(text, text)
            for text in (each.function, each.sha256, each.base, each.manifest_json)
        )
        yield replace(each, function=name, sha256=sha256, base=base, manifest_json=manifest)


def _next_number(database: sqlite3.Connection, function: str) -> int:
    database.execute("INSERT OR IGNORE INTO functions (name) VALUES (?)", (function,))
    advance = "UPDATE functions SET last_number = last_number + 1 WHERE name = ? RETURNING last_number"
    (number,) = database.execute(advance, (function,)).fetchone()
    return int(number)
