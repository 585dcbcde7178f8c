"""What an earlier life has left in the database: all rows, read once and checked."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from triggers.store.database import DamagedFileError
from triggers.store.rows import EventRow, Letter, ResultRow, Source
from triggers.store.sealing import DamagedRowError
from triggers.store.tables import AGES, EVENTS, LETTERS, RESULTS, TABLES, Table, Values

Known = Mapping[tuple[int, bytes], Mapping[str, tuple[int, ...]]]
"""By packet id and digest: the functions that have dealt with that event or will, and their rows."""


@dataclass(frozen=True)
class Span:
    """How many rows there are, and the `seq` of the first and the last of them.

    `since` is when the first was written, in seconds since the epoch, where that is known.
    """

    count: int
    first: int
    last: int
    since: float = 0.0

    def with_row(self, seq: int) -> "Span":
        """One row more."""
        return Span(self.count + 1, self.first, seq, self.since)


@dataclass
class Found:
    """What is there; `damaged` has the rows that are not as they were written, by table and rowid."""

    top: int = 0
    lanes: dict[str, Span] = field(default_factory=dict)
    targets: dict[str, Span] = field(default_factory=dict)
    letters: dict[int, int] = field(default_factory=dict)
    marks: list[tuple[int, float]] = field(default_factory=list)
    damaged: list[tuple[Table[Any], int]] = field(default_factory=list)
    _kept: dict[Source, dict[str, list[int]]] = field(default_factory=dict)
    _results: dict[tuple[Source, str], list[tuple[int, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, table: Table[Any], values: Values) -> None:
        """Note a row; raises DamagedRowError when it is not as it was written."""
        row = table.decode(values)
        if table is EVENTS:
            self._add_event(row)
        elif table is RESULTS:
            self._add_result(row)
        elif table is LETTERS:
            self._add_letter(row, values)
        elif table is AGES:
            self.marks.append((row[0], row[1]))
            self.top = max(self.top, row[0])

    def _add_event(self, row: EventRow) -> None:
        self._count(self.lanes, row.lane, row.seq)
        self._keep(row.source, row.lane.rpartition("/")[2], row.seq)

    def _add_result(self, row: ResultRow) -> None:
        self._count(self.targets, row.target, row.seq, row.created)
        if row.source is not None:
            self._results[row.source, row.function].append((row.total, row.seq))

    def _add_letter(self, row: Letter, values: Values) -> None:
        self.top = max(self.top, row.seq)
        self.letters[row.seq] = sum(len(each) for each in values if isinstance(each, str | bytes))
        self._keep(row.source, row.function, row.seq)

    def _count(self, spans: dict[str, Span], name: str, seq: int, since: float = 0.0) -> None:
        self.top = max(self.top, seq)
        spans[name] = spans.get(name, Span(0, seq, seq, since)).with_row(seq)

    def _keep(self, source: Source | None, function: str, *seqs: int) -> None:
        if source is not None:
            self._kept.setdefault(source, {}).setdefault(function, []).extend(seqs)

    def known(self) -> dict[str, Known]:
        """By session: the events whose redelivery can be told.

        A function with only some of an event's results in the outbox has not dealt with it.
        """
        for (source, function), rows in self._results.items():
            if len(rows) >= max(total for total, _ in rows):
                self._keep(source, function, *(seq for _, seq in rows))
        self._results.clear()
        known: dict[str, dict[tuple[int, bytes], dict[str, tuple[int, ...]]]] = {}
        for source, functions in self._kept.items():
            there = known.setdefault(source.session, {}).setdefault((source.mid, source.digest), {})
            there.update((name, tuple(seqs)) for name, seqs in functions.items())
        return dict(known)


def find_all(database: sqlite3.Connection) -> Found:
    """Read and check every row; raises sqlite3.Error when not even that is possible."""
    found = Found()
    for table in TABLES:
        for rowid, values in walk(database, table):
            try:
                found.add(table, values)
            except DamagedRowError:
                found.damaged.append((table, rowid))
    _check_index(database, "events_by_lane", EVENTS)
    _check_index(database, "results_by_target", RESULTS)
    return found


def walk(
    database: sqlite3.Connection, table: Table[Any], after: int = -(2**63)
) -> Iterator[tuple[int, Values]]:
    """Rowid and columns of all rows above `after`, read from the table itself and from no index."""
    columns = ", ".join(table.columns)
    query = f"SELECT rowid, {columns} FROM {table.name} NOT INDEXED WHERE rowid > ? ORDER BY rowid"  # noqa: S608
    for rowid, *values in database.execute(query, (after,)):
        if rowid <= after:
            raise DamagedFileError(f"{table.name} is out of order at row {rowid}")
        after = rowid
        yield rowid, tuple(values)


def _check_index(database: sqlite3.Connection, index: str, table: Table[Any]) -> None:
    """An index that has lost a row hides it from whoever works its lane."""
    column = table.columns[1]
    figures = f"{column}, count(*), min(seq), max(seq), total(seq) FROM {table.name}"
    order = f"GROUP BY {column} ORDER BY {column}"
    through = database.execute(f"SELECT {figures} INDEXED BY {index} {order}")
    directly = database.execute(f"SELECT {figures} NOT INDEXED {order}")
    if through.fetchall() != directly.fetchall():
        raise DamagedFileError(f"the index {index} does not fit {table.name}")
