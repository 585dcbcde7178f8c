"""The records on disk: one SQLite file, bounded by number, bytes and age, whose loss costs nothing else."""

import json
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from conf.observing import Records as Rules
from host.observing.records.record import Record
from host.observing.records.room import Bounds, Kind, count_excess
from host.observing.records.sealing import View
from triggers.store.database import DamagedFileError, connect, is_damage

logger = logging.getLogger(__name__)

VERSION = 1
SCHEME = """
    CREATE TABLE records (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        function TEXT NOT NULL,
        trigger TEXT NOT NULL,
        result TEXT NOT NULL,
        sample INTEGER NOT NULL,
        ended REAL NOT NULL,
        size INTEGER NOT NULL,
        told BLOB NOT NULL
    ) STRICT;
    CREATE INDEX records_by_id ON records (id);
    CREATE INDEX records_by_kind ON records (sample, number, size, ended, result);
"""
ROW = 200
"""Bytes of a row beside what is told in it: its other columns, and its places in two indexes."""

T = TypeVar("T")
Tell = Callable[[View], View]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records: of a function, a result, a trigger, only `failed` ones, not before `since` (epoch).

    `text` stands somewhere in what is told of it, whatever the case of its letters.
    """

    function: str | None = None
    result: str | None = None
    trigger: str | None = None
    failed: bool = False
    since: float = 0.0
    before: int | None = None
    text: str = ""

    def takes(self, record: Record) -> bool:
        """Whether a record is one of these, but for the text."""
        told = (record.spec.function, record.result, record.trigger)
        wanted = (self.function, self.result, self.trigger)
        return (
            all(name is None or name == found for name, found in zip(wanted, told, strict=True))
            and not (self.failed and record.is_sample)
            and record.stages["ended"] >= self.since
            and (self.before is None or record.number < self.before)
        )

    def finds(self, view: View) -> bool:
        """Whether what is told of a record has the text."""
        return not self.text or _sought(self.text) in json.dumps(view, ensure_ascii=False).lower()

    def clauses(self) -> tuple[str, list[object]]:
        """The same in SQL."""
        told = {
            "function = ?": self.function,
            "result = ?": self.result,
            "trigger = ?": self.trigger,
            "sample = ?": 0 if self.failed else None,
            "ended >= ?": self.since or None,
            "number < ?": self.before,
            "instr(lower(CAST(told AS TEXT)), ?)": _sought(self.text) if self.text else None,
        }
        given = {clause: value for clause, value in told.items() if value is not None}
        return " AND ".join(given) or "1", list(given.values())


class RecordStore:
    """All methods block, and may be called from any thread; they raise OSError and sqlite3.Error.

    A damaged file is put aside, and a fresh one begun; `damaged` counts how often. `last` is the highest
    number that was seen.
    """

    def __init__(self, path: Path, rules: Rules) -> None:
        self.path = path
        self._bounds = Bounds(rules.most, rules.size)
        self._age = rules.age
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self.last = 0
        self.damaged = 0

    def open(self) -> "Counter[str]":
        """Make it ready; returns how many there are of each result."""
        return self._with(_count)

    def write(self, views: Sequence[View], now: float) -> "Counter[str]":
        """Add these, and make room; `now` is since the epoch. Returns how many gave way, by their results."""
        return self._with(lambda database: self._write(database, views, now))

    def page(self, choice: Choice, limit: int, tell: Tell) -> list[View]:
        """What `tell` makes of the newest ones, the newest first; no more than one is whole at a time."""
        clauses, values = choice.clauses()
        query = f"SELECT told FROM records WHERE {clauses} ORDER BY number DESC LIMIT ?"  # noqa: S608
        return self._with(lambda database: _views(database, query, [*values, limit], tell))

    def of(self, event_id: str) -> list[View]:
        """Those of one event, the oldest first."""
        query = "SELECT told FROM records WHERE id = ? ORDER BY number"
        return self._with(lambda database: _views(database, query, [event_id], lambda view: view))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None

    def _with(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            try:
                return work(self._opened())
            except sqlite3.Error as error:
                if not is_damage(error):
                    raise
                self._put_aside(error)
                return work(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            database = connect(self.path)
            try:
                database.execute("PRAGMA synchronous = NORMAL")
                self._check(database)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    def _check(self, database: sqlite3.Connection) -> None:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version == 0:
            database.executescript(f"BEGIN; {SCHEME} PRAGMA user_version = {VERSION}; COMMIT")
        elif version != VERSION:
            raise DamagedFileError(f"it is of version {version}, and this fnhost knows {VERSION}")
        (last,) = database.execute("SELECT max(number) FROM records").fetchone()
        self.last = max(self.last, last or 0)

    def _put_aside(self, error: sqlite3.Error) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
        self.damaged += 1
        aside = self.path.with_suffix(".damaged")
        self.path.replace(aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        said = "%s is damaged (%s): the records in it are put aside as %s, and new ones are kept"
        logger.error(said, self.path, error, aside)

    def _write(self, database: sqlite3.Connection, views: Sequence[View], now: float) -> "Counter[str]":
        with _transaction(database):
            database.executemany(
                "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_row, views)
            )
            gone = _drop(database, "ended < ?", now - self._age)
            gone += self._make_room(database)
        # The log is as long as one minute's records, and need not lie about for the next.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def _make_room(self, database: sqlite3.Connection) -> "Counter[str]":
        samples, failures = _kind(database, 1), _kind(database, 0)
        few, many = count_excess(samples, failures, self._bounds)
        gone: Counter[str] = Counter()
        for sample, count in ((1, few), (0, many)):
            if count:
                oldest = "SELECT number FROM records WHERE sample = ? ORDER BY number LIMIT ?"
                gone += _drop(database, f"number IN ({oldest})", sample, count)
        return gone


def _sought(text: str) -> str:
    """As it stands in JSON."""
    return json.dumps(text, ensure_ascii=False)[1:-1].lower()


@contextmanager
def _transaction(database: sqlite3.Connection) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


def _kind(database: sqlite3.Connection, sample: int) -> Kind:
    count, size = database.execute(
        "SELECT count(*), coalesce(sum(size), 0) FROM records WHERE sample = ?", [sample]
    ).fetchone()
    sizes = database.execute("SELECT size FROM records WHERE sample = ? ORDER BY number", [sample])
    return Kind(count, size, (size for (size,) in sizes))


def _drop(database: sqlite3.Connection, clause: str, *values: object) -> "Counter[str]":
    query = f"DELETE FROM records WHERE {clause} RETURNING result"  # noqa: S608 - the clauses are ours
    return Counter(result for (result,) in database.execute(query, values).fetchall())


def _count(database: sqlite3.Connection) -> "Counter[str]":
    return Counter(dict(database.execute("SELECT result, count(*) FROM records GROUP BY result").fetchall()))


def _row(view: View) -> tuple[object, ...]:
    # What a function said of its failure may hold what no UTF-8 can.
    told = json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    named = (view[name] for name in ("number", "id", "function", "trigger", "result"))
    return *named, int(view["result"] == "ok"), view["stages"]["ended"], len(told) + ROW, told


def _views(database: sqlite3.Connection, query: str, values: list[object], tell: Tell) -> list[View]:
    views = []
    for (told,) in database.execute(query, values):
        # SQLite does not see damage inside of a row.
        with suppress(ValueError):
            views.append(tell(json.loads(told)))
    return views
