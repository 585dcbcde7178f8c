"""What a group of units changes in each table: folded in memory, then written in few statements."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from triggers.store.changes import (
    AddEvents,
    AddLetters,
    AddResults,
    Change,
    DropEvents,
    DropInvocations,
    DropLetters,
    DropResults,
    ForgetSources,
    MoveResults,
    SaveInvocation,
    SaveMoment,
    SaveSeen,
)
from triggers.store.rows import ResultRow
from triggers.store.sealing import FORGOTTEN, DamagedRowError
from triggers.store.tables import (
    EVENTS,
    INVOCATIONS,
    LETTERS,
    MOMENTS,
    RESULTS,
    SEEN,
    SOURCED,
    TABLES,
    Table,
    Values,
)

CHUNKS = (50, 8, 1)
"""Rows in one INSERT: each call of SQLite lets go of the interpreter, and a busy loop gives it back late.

50 rows of the widest table stay below the 999 variables of an SQLite that was built with its old limit.
"""

MOVED_AT_ONCE = 500

Net = dict[Any, Values | None]
"""By key: the row that stands there in the end, or None for no row."""


class Batch:
    """Changes for one open transaction, in their order.

    A row that is added and dropped in one group never touches the disk; drops are written before additions,
    so that room is made before it is needed.
    """

    def __init__(self, database: sqlite3.Connection) -> None:
        self.letters: dict[
            int, int | None
        ] = {}  # bytes of each dead letter that came, None for those that went
        self.top = 0  # the greatest seq that was added
        self.saved = 0  # bytes of invocations, new or changed
        self._database = database
        self._net: dict[str, Net] = {table.name: {} for table in TABLES}
        self._forgotten: list[int] = []
        self._seen: tuple[tuple[str, str, float], ...] | None = None

    def add(self, change: Change) -> None:
        """Fold a change in; raises one of WRONG_IN_ITSELF when it cannot be written."""
        match change:
            case AddEvents(rows):
                self._put(EVENTS, rows)
            case AddResults(results):
                self._put(RESULTS, results)
            case AddLetters(letters):
                self._put(LETTERS, letters)
                self.letters.update((each.seq, _size(self._net["letters"][each.seq])) for each in letters)
            case DropEvents(seqs):
                self._drop(EVENTS, seqs)
            case DropResults(seqs):
                self._drop(RESULTS, seqs)
            case DropLetters(seqs):
                self._drop(LETTERS, seqs)
                self.letters.update((seq, None) for seq in seqs)
            case ForgetSources(seqs):
                self._forget(seqs)
            case MoveResults(old, new):
                self._move(old, new)
            case SaveInvocation(invocation):
                self._put(INVOCATIONS, (invocation,))
                self.saved += _size(self._net["invocations"][invocation.id])
            case DropInvocations(ids):
                self._drop(INVOCATIONS, ids)
            case SaveMoment(name, moment):
                self._put(MOMENTS, ((name, float(moment)),))
            case SaveSeen(keys):
                self._seen = keys

    def _put(self, table: Table[Any], rows: tuple[Any, ...]) -> None:
        net = self._net[table.name]
        for row in rows:
            values = table.encode(row)
            net[values[0]] = values
            if table in SOURCED:
                self.top = max(self.top, values[0])

    def _drop(self, table: Table[Any], keys: tuple[Any, ...]) -> None:
        self._net[table.name].update(dict.fromkeys(keys))

    def _forget(self, seqs: tuple[int, ...]) -> None:
        self._forgotten.extend(seqs)
        for table in SOURCED:
            net = self._net[table.name]
            if not net:
                continue
            place = table.columns.index("source")
            for seq in seqs:
                if values := net.get(seq):
                    net[seq] = (*values[:place], FORGOTTEN, *values[place + 1 :])

    def _move(self, old: str, new: str) -> None:
        self.write()
        query = f"{RESULTS.select} WHERE target = ? AND seq > ? ORDER BY seq LIMIT {MOVED_AT_ONCE}"
        after = 0
        while rows := self._database.execute(query, (old, after)).fetchall():
            after = rows[-1][0]
            self._put(RESULTS, tuple(replace(row, target=new) for row in _sound(rows)))
            self.write()

    def write(self) -> None:
        """Write what was folded in so far, within the transaction; raises sqlite3.Error."""
        for table in TABLES:
            gone = [key for key, values in self._net[table.name].items() if values is None]
            if gone:
                self._database.execute(table.delete, (json.dumps(gone),))
        if self._forgotten:
            self._write_forgotten()
        if self._seen is not None:
            self._write_seen(self._seen)
        for table in TABLES:
            self._insert(table, [values for values in self._net[table.name].values() if values])
            self._net[table.name].clear()
        self._forgotten, self._seen = [], None

    def _write_forgotten(self) -> None:
        seqs = json.dumps(self._forgotten)
        for table in SOURCED:
            self._database.execute(
                f"UPDATE {table.name} SET source = ? WHERE seq IN (SELECT value FROM json_each(?))",  # noqa: S608
                (FORGOTTEN, seqs),
            )

    def _write_seen(self, keys: tuple[tuple[str, str, float], ...]) -> None:
        self._database.execute("DELETE FROM seen")
        self._put(
            SEEN, tuple((place, rule, key, float(when)) for place, (rule, key, when) in enumerate(keys))
        )

    def _insert(self, table: Table[Any], rows: list[Values]) -> None:
        start = 0
        for size in CHUNKS:
            statement = table.insert(size)
            while len(rows) - start >= size:
                chunk = rows[start : start + size]
                self._database.execute(statement, [value for values in chunk for value in values])
                start += size


def _sound(rows: list[Values]) -> Iterator[ResultRow]:
    for values in rows:
        # One that is damaged stays where it is, until somebody reads it.
        with suppress(DamagedRowError):
            yield RESULTS.decode(values)


def _size(values: Values | None) -> int:
    return sum(len(each) for each in values or () if isinstance(each, str | bytes))
