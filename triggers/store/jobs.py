"""What waits for the thread that writes, and how it is taken: in groups, in order, and to the last."""

import sqlite3
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from triggers.store.changes import Change
from triggers.store.tables import Table

MOST_UNITS = 1000
MOST_BYTES = 8 * 1024 * 1024
"""Of one group, so that its first unit does not wait for long."""


@dataclass(eq=False, slots=True)
class Unit:
    """Changes that are made together, of about `size` bytes. `error` says why they cannot be made at all."""

    changes: tuple[Change, ...]
    durable: bool
    size: int
    future: Any = None
    error: BaseException | None = None


@dataclass(frozen=True)
class Aside:
    """A row that is not sound, to be moved to the damaged ones."""

    table: Table[Any]
    rowid: int
    size: int = 0


@dataclass(frozen=True)
class Repair:
    """A reader has met damage in the file of this generation; `done` when there is a sound one."""

    reason: sqlite3.Error
    generation: int
    done: "Future[None]" = field(default_factory=Future)
    size: int = 0


Job = Unit | Aside | Repair


class Jobs:
    """A queue from any thread to the one that writes; `over` once that has taken the last."""

    def __init__(self) -> None:
        self.over = False
        self._queue: SimpleQueue[Job | None] = SimpleQueue()

    def put(self, job: Job) -> None:
        """Let a job wait."""
        self._queue.put(job)

    def end(self) -> None:
        """Nothing comes any more."""
        self._queue.put(None)

    def take(self, timeout: float) -> list[Job]:
        """All that waits, within bounds; none when nothing has come for `timeout` seconds."""
        try:
            first = self._queue.get(timeout=timeout)
        except Empty:
            return []
        if first is None:
            self.over = True
            return []
        return [first, *self._take(MOST_UNITS - 1, MOST_BYTES - first.size)]

    def take_all(self) -> list[Job]:
        """All that waits by now."""
        return self._take(float("inf"), float("inf"))

    def _take(self, count: float, size: float) -> list[Job]:
        jobs: list[Job] = []
        while len(jobs) < count and size > 0 and not self.over:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                self.over = True
            else:
                jobs.append(job)
                size -= job.size
        return jobs
