"""Reads what is committed, through a connection and in a thread of its own."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from triggers.store.database import connect_reader, is_damage
from triggers.store.page import PAGE_BYTES, Page
from triggers.store.rows import EventRow, Invocation, Letter, ResultRow
from triggers.store.sealing import DamagedRowError
from triggers.store.tables import EVENTS, INVOCATIONS, LETTERS, MOMENTS, RESULTS, SEEN, Table

T = TypeVar("T")
R = TypeVar("R")

Aside = Callable[[Table[Any], int], None]
"""Told of a row that is not sound, by its table and rowid."""

Repair = Callable[[sqlite3.Error, int], Awaitable[None]]
"""Told of damage in the file of this generation; returns when there is a sound one."""


@dataclass(frozen=True)
class LetterQuery:
    """Dead letters of a function, rule, lane, event or type of error; older than that of the seq `before`."""

    function: str | None = None
    rule: str | None = None
    lane: str | None = None
    error: str | None = None
    event_id: str | None = None
    before: int | None = None
    limit: int = 100


class Gate:
    """Holds the reading connection, and keeps it away from a file that is being replaced."""

    def __init__(self, path: Path) -> None:
        self.generation = 0  # of the file
        self._path = path
        self._lock = Lock()
        self._closed = False
        self._database: sqlite3.Connection | None = None

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one reading; raises sqlite3.Error."""
        with self._lock:
            if self._closed:
                raise sqlite3.ProgrammingError("the delivery store is closed")
            if self._database is None:
                self._database = connect_reader(self._path)
            yield self._database

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Nobody reads, and the file is not open: closing it late would take the log of the next one away."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
            self.generation += 1
            yield

    def close(self) -> None:
        """Nobody reads any more."""
        with self.shut():
            self._closed = True


class Reader:
    """Every answer holds sound rows only; of others `aside` is told, and of a damaged file `repair`.

    All methods raise sqlite3.Error when nothing can be read.
    """

    def __init__(self, gate: Gate, aside: Aside, repair: Repair) -> None:
        self._gate = gate
        self._aside = aside
        self._repair = repair
        self.thread = ThreadPoolExecutor(1, "delivery-reader")

    async def events(self, lane: str, since: int, limit: int) -> Page[EventRow]:
        """Of one lane, in order, from the seq `since` on; PAGE_BYTES at most, or one row."""
        return await self._find_page(EVENTS, "lane = ? AND seq >= ?", (lane, since), limit)

    async def results(self, target: str, since: int, limit: int) -> Page[ResultRow]:
        """For one target, in order, from the seq `since` on; PAGE_BYTES at most, or one row."""
        return await self._find_page(RESULTS, "target = ? AND seq >= ?", (target, since), limit)

    async def waiting(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many events wait in each lane, and how many results for each target."""
        events = await self._ask(partial(self._count, EVENTS, "lane"))
        return events, await self._ask(partial(self._count, RESULTS, "target"))

    async def letters(self, query: LetterQuery) -> list[Letter]:
        """The newest first."""
        asked = {"function": query.function, "rule": query.rule, "lane": query.lane}
        asked["error_type"] = query.error
        asked["event_id"] = query.event_id
        told = {name: value for name, value in asked.items() if value is not None}
        where = "".join(f"{name} = ? AND " for name in told)
        before = 2**63 - 1 if query.before is None else query.before
        return await self._find(
            LETTERS, f"{where}seq < ? ORDER BY seq DESC", (*told.values(), before), query.limit
        )

    async def letter_kinds(self) -> list[tuple[str, str, str, int]]:
        """Function, rule and error type of all there are, with how many have these three."""
        return await self._ask(self._letter_kinds)

    async def letter(self, seq: int) -> Letter | None:
        """One of them, or None."""
        return next(iter(await self._find(LETTERS, "seq = ?", (seq,), 1)), None)

    async def invocation(self, id_: str) -> Invocation | None:
        """One of them, or None."""
        return next(iter(await self._find(INVOCATIONS, "id = ?", (id_,), 1)), None)

    async def open_invocations(self) -> list[Invocation]:
        """Those that have not ended, or whose callback was not called."""
        where = "state IN ('waiting', 'running') OR callback_state = 'waiting' ORDER BY created"
        return await self._find(INVOCATIONS, where, (), None)

    async def expired_invocations(self, now: float, limit: int) -> list[str]:
        """The ids of those whose time is over at `now` (seconds since the epoch), callbacks included."""
        where = "expires <= ? AND callback_state <> 'waiting' ORDER BY expires"
        rows: list[Invocation] = await self._find(INVOCATIONS, where, (now,), limit)
        return [each.id for each in rows]

    async def moments(self) -> dict[str, float]:
        """When each timer was last due."""
        return dict(await self._find(MOMENTS, "1", (), None))

    async def seen(self) -> list[tuple[str, str, float]]:
        """Rule, key and time, as they were saved."""
        rows: list[tuple[int, str, str, float]] = await self._find(SEEN, "1 ORDER BY place", (), None)
        return [(rule, key, moment) for _, rule, key, moment in rows]

    async def _find(self, table: Table[R], where: str, values: tuple[Any, ...], limit: int | None) -> list[R]:
        return await self._ask(partial(self._read, table, where, values, limit))

    async def _find_page(self, table: Table[R], where: str, values: tuple[Any, ...], limit: int) -> Page[R]:
        return await self._ask(partial(self._read_page, table, f"{where} ORDER BY seq", values, limit))

    async def _ask(self, read: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        generation = self._gate.generation
        try:
            return await loop.run_in_executor(self.thread, read)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            await self._repair(error, generation)
            return await loop.run_in_executor(self.thread, read)

    def _count(self, table: Table[Any], column: str) -> dict[str, int]:
        query = f"SELECT {column}, count(*) FROM {table.name} GROUP BY {column}"  # noqa: S608 - no value in it
        with self._gate.open() as database, closing(database.execute(query)) as cursor:
            return dict(cursor.fetchall())

    def _letter_kinds(self) -> list[tuple[str, str, str, int]]:
        three = "function, rule, error_type"
        query = f"SELECT {three}, count(*) FROM letters GROUP BY {three} ORDER BY {three}"  # noqa: S608
        with self._gate.open() as database, closing(database.execute(query)) as cursor:
            return [tuple(row) for row in cursor.fetchall()]

    def _read(self, table: Table[R], where: str, values: tuple[Any, ...], limit: int | None) -> list[R]:
        with self._sound(table, where, values) as found:
            return [row for row, _ in islice(found, limit)]

    def _read_page(self, table: Table[R], where: str, values: tuple[Any, ...], limit: int) -> Page[R]:
        page: Page[R] = Page()
        room = PAGE_BYTES
        with self._sound(table, where, values) as found:
            for row, size in islice(found, limit):
                room -= size
                if page and room < 0:
                    page.cut = True
                    break
                page.append(row)
        return page

    @contextmanager
    def _sound(
        self, table: Table[R], where: str, values: tuple[Any, ...]
    ) -> Iterator[Iterator[tuple[R, int]]]:
        """The rows that are sound, one by one, each with its size in bytes."""
        query = f"SELECT rowid, {', '.join(table.columns)} FROM {table.name} WHERE {where}"  # noqa: S608 - values are bound
        with self._gate.open() as database, closing(database.execute(query, values)) as cursor:
            yield self._decode(table, cursor)

    def _decode(self, table: Table[R], cursor: sqlite3.Cursor) -> Iterator[tuple[R, int]]:
        for rowid, *found in cursor:
            try:
                row = table.decode(tuple(found))
            except DamagedRowError:
                self._aside(table, rowid)
            else:
                yield row, sum(len(value) for value in found if isinstance(value, bytes | str))
