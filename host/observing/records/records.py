"""Decides which invocations have a record, and keeps each until nothing more comes to it."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from conf.observing import Records as Rules
from host.observing.records.record import Moment, Record, make_record
from host.observing.records.room import Bounds
from host.observing.records.shelf import MEMORY, Shelf
from runtime.events import Stage
from runtime.observations import Observer, Run

PATIENCE = 5.0
"""Seconds after its end in which a record hears of its publication and acknowledgement."""
MOST_OPEN = 10_000
"""Records that wait so, whether the shelf still has them or not; they have MEMORY bytes at most, too."""


class Clocks(NamedTuple):
    """Where the time comes from, in seconds: since some moment, and since the epoch."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time


@dataclass
class Totals:
    """Counts by result since `began` (seconds since the epoch): records made, and those given up since.

    `earlier` counts those on disk that an earlier life of the host has left, as long as they are there.
    """

    began: float
    made: "Counter[str]" = field(default_factory=Counter)
    forgotten: "Counter[str]" = field(default_factory=Counter)
    earlier: "Counter[str]" = field(default_factory=Counter)


class Records(Observer):
    """Told of each run; `on_filling` is called while there is much that the disk has not got."""

    def __init__(self, rules: Rules, clocks: Clocks = Clocks()) -> None:  # noqa: B008 - it does not change
        self.rules = rules
        self.shelf = Shelf(Bounds(rules.most, rules.size))
        self.totals = Totals(clocks.wall())
        self.on_filling: Callable[[], None] | None = None
        self.last = 0
        self._clocks = clocks
        self._share = rules.sample
        self._random = random.random
        self._open: deque[Record] = deque()
        self._open_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def ended(self, run: Run) -> None:
        """Make a record of it, if there is to be one."""
        if run.result != "ok" or run.event.asked_for or self._random() < self._share:
            self._keep(run)
        elif run.event.timeline is not None:
            # Of an earlier attempt, which what comes now does not belong to.
            run.event.timeline = None

    def _keep(self, run: Run) -> None:
        clocks = self._clocks
        self.last += 1
        moment = Moment(clocks.monotonic(), clocks.wall())
        record = make_record(self.last, run, moment, self.rules.body)
        self.totals.made[record.result] += 1
        if record.last_stage is None:
            run.event.timeline = None
            record.is_complete = True
        else:
            record.due = run.ended + PATIENCE
            run.event.timeline = record
            record.on_mark = self._mark
            self._await(record)
        if gone := self.shelf.add(record):
            self.totals.forgotten.update(gone)
        if self.on_filling is not None and self.shelf.is_filling:
            self.on_filling()

    def _await(self, record: Record) -> None:
        self._open.append(record)
        self._open_bytes += record.size
        while len(self._open) > MOST_OPEN or (self._open_bytes > MEMORY and len(self._open) > 1):
            self._complete_oldest()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PATIENCE, self.sweep)

    def _mark(self, record: Record, stage: Stage) -> None:
        # Seconds since its end, so that a wall clock that is set in between changes no order.
        record.stages[stage] = record.stages["ended"] + max(0.0, self._clocks.monotonic() - record.ended)
        if stage == record.last_stage:
            self._complete(record)

    def sweep(self) -> None:
        """Wait no longer for what should have come to records by now."""
        now, waiting = self._clocks.monotonic(), self._open
        while waiting and (waiting[0].is_complete or waiting[0].due <= now):
            self._complete_oldest()
        self._timer = None
        if waiting:
            wait = max(0.01, waiting[0].due - now)
            self._timer = asyncio.get_running_loop().call_later(wait, self.sweep)

    def finish(self) -> None:
        """Nothing more comes to any record: the host stops."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._open:
            self._complete_oldest()

    def _complete_oldest(self) -> None:
        record = self._open.popleft()
        self._open_bytes -= record.size
        self._complete(record)

    def _complete(self, record: Record) -> None:
        record.is_complete, record.on_mark = True, None

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clocks.wall()

    def give_way(self, records: "Counter[str]") -> None:
        """So many have been given up, by their results: first those of an earlier life, which are older."""
        for result, count in records.items():
            before = min(count, self.totals.earlier[result])
            self.totals.earlier[result] -= before
            self.totals.forgotten[result] += count - before

    def put_back(self, records: Iterable[Record]) -> None:
        """The disk did not take these."""
        self.totals.forgotten += self.shelf.put_back(records)
