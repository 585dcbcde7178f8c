"""The values that the history keeps of the host, a function and an instance, and how a row holds them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from runtime.observations import RESULTS

Scope = Literal["host", "function", "instance"]
Kind = Literal["count", "level", "last"]
SCOPES: tuple[Scope, ...] = ("host", "function", "instance")
STATES = ("starting", "idle", "busy", "retiring")
"""Of instances; a row has the position of one."""
COUNT, SIZE, SECONDS = "I", "Q", "f"
MOST = {COUNT: 2**32 - 1, SIZE: 2**64 - 1}
TIMES = tuple(f"{what}_{part}" for what in ("run", "queue") for part in ("seconds", "p50", "p95", "p99"))
"""The sum of a period's times, and three of their quantiles, which are NaN where nothing ended."""


@dataclass(frozen=True)
class Column:
    """One value of a row.

    A `count` is what came to a counter in the row's period, a `level` the highest that was seen in it, `last`
    what was seen last. `form` is how it is packed, in the words of the module struct.
    """

    name: str
    unit: str
    kind: Kind
    form: str = COUNT


def _counts(*names: str) -> list[Column]:
    return [Column(name, "events", "count") for name in names]


def _sizes(*names: str) -> list[Column]:
    return [Column(name, "bytes", "count", SIZE) for name in names]


def _levels(unit: str, *names: str) -> list[Column]:
    return [Column(name, unit, "level") for name in names]


def _time(name: str) -> Column:
    return Column(name, "seconds", "count" if name.endswith("_seconds") else "last", SECONDS)


@dataclass(frozen=True)
class Layout:
    """The columns of one scope, in the order of a row; before them a row has its time."""

    columns: tuple[Column, ...]

    @cached_property
    def packed(self) -> struct.Struct:
        """A row's bytes: seconds of the history's axis, then the columns."""
        return struct.Struct("<I" + "".join(each.form for each in self.columns))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(each.name for each in self.columns)

    @cached_property
    def lasts(self) -> tuple[int, ...]:
        """Where that stands of which the last is kept."""
        return self._places("last")

    def levels_of(self, values: Sequence[float]) -> tuple[float, ...]:
        """The levels among the values of all columns."""
        return tuple([values[place] for place in self.levels])

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Where the levels stand."""
        return self._places("level")

    @cached_property
    def quantiles(self) -> tuple[int, ...]:
        """Where the first quantile of each kind of times stands."""
        return tuple(place for place, name in enumerate(self.names) if name.endswith("_p50"))

    def _places(self, kind: Kind) -> tuple[int, ...]:
        return tuple(place for place, each in enumerate(self.columns) if each.kind == kind)

    @cached_property
    def _most(self) -> tuple[float, ...]:
        return tuple(MOST.get(each.form, float("inf")) for each in self.columns)

    def pack(self, row: Sequence[float]) -> bytes:
        """A row; what is too large for its place is the largest that fits, what is negative is 0."""
        try:
            return self.packed.pack(*row)
        except struct.error:
            pairs = zip(row[1:], self._most, strict=True)
            return self.packed.pack(row[0], *(min(max(value, 0), most) for value, most in pairs))


_EVENTS = [
    *_counts(*RESULTS, "refused"),
    *map(_time, TIMES),
]
_NOW = [*_levels("events", "queued", "in_flight"), *_levels("instances", "instances", *STATES)]
_USE = [Column("memory", "bytes", "level", SIZE), Column("cpu_seconds", "seconds", "count", SECONDS)]
LAYOUTS: dict[Scope, Layout] = {
    "function": Layout((*_EVENTS, *_NOW, *_USE)),
    "host": Layout(
        (
            *_EVENTS,
            *_NOW,
            *_USE,
            Column("host_memory", "bytes", "level", SIZE),
            Column("host_cpu_seconds", "seconds", "count", SECONDS),
            *_sizes("disk_read", "disk_written", "network_received", "network_sent"),
            *_levels("processes", "processes"),
            *_levels("descriptors", "descriptors"),
            *_levels("events", "inbox"),
            *_levels("results", "outbox"),
            *_levels("events", "dead_letters"),
        )
    ),
    "instance": Layout(
        (
            *_counts("answered"),
            Column("state", "state", "last", "B"),
            Column("memory", "bytes", "level", SIZE),
            Column("cpu_seconds", "seconds", "count", SECONDS),
            Column("age", "seconds", "last", SECONDS),
        )
    ),
}
