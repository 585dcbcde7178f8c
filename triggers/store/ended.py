"""Asynchronous invocations that have ended: how much of the quota they take, and which go first."""

import json
import sqlite3
from dataclasses import dataclass

from triggers.store.quota import ROW
from triggers.store.rows import NEVER
from triggers.store.tables import INVOCATIONS

SHARE = 0.2
"""The part of the quota that they may take; a fifth, says the log."""

KEPT = 0.9
"""The part of their share that is left when some had to go: they need not be weighed again at once."""

_SIZE = f"{ROW} + length(result) + length(error) + ifnull(length(body), 0)"
# One whose callback is under way is needed, and so is one that was called off, until its event is gone.
_DONE = f"state IN ('done', 'failed', 'cancelled') AND callback_state <> 'waiting' AND expires < {NEVER}"


@dataclass(frozen=True)
class EndedDrops:
    """How many were dropped, and the bytes that are left."""

    count: int
    left: int


class Ended:
    """Weighs them when what was written since the last time could be too much; `quota` is in bytes."""

    def __init__(self, quota: int) -> None:
        self._share = SHARE * quota
        self._most = float("inf")  # they take so many bytes at most

    def grow(self, size: int) -> None:
        """So many bytes of invocations were written."""
        self._most += size

    @property
    def has_excess(self) -> bool:
        """Whether they may take more than their share."""
        return self._most > self._share

    def drop(self, database: sqlite3.Connection) -> EndedDrops:
        """Delete those that end soonest, within a transaction; `dropped` is for after its commit."""
        (size,) = database.execute(f"SELECT total({_SIZE}) FROM invocations WHERE {_DONE}").fetchone()  # noqa: S608
        left, goes = int(size), []
        if left > KEPT * self._share:
            query = f"SELECT id, {_SIZE} FROM invocations WHERE {_DONE} ORDER BY expires"  # noqa: S608 - constants
            for id_, each in database.execute(query):
                goes.append(id_)
                left -= each
                if left <= KEPT * self._share:
                    break
            database.execute(INVOCATIONS.delete, (json.dumps(goes),))
        return EndedDrops(len(goes), left)

    def dropped(self, drops: EndedDrops) -> None:
        """What `drop` did was committed."""
        self._most = drops.left
