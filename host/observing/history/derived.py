"""The columns as they are shown: those that are kept, and what follows from them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import isnan
from operator import itemgetter
from typing import Any

from host.observing.history.columns import LAYOUTS, STATES, Kind, Scope
from host.observing.history.rows import Row
from runtime.observations import RESULTS

RAN = ("ok", "raised", "timeout", "died")
FAILED = tuple(name for name in RESULTS if name not in ("ok", "cancelled"))


@dataclass(frozen=True)
class Shown:
    """A column, and how its value is had from a row; None is a value that is not known."""

    name: str
    unit: str
    kind: Kind
    value: Callable[[Row], Any]


@lru_cache(3)
def shown_columns(scope: Scope) -> tuple[Shown, ...]:
    """All columns of this scope: those that are kept, and sums and means of them."""
    layout = LAYOUTS[scope]
    places = {name: 1 + place for place, name in enumerate(layout.names)}
    kept = [Shown(each.name, each.unit, each.kind, _value(each.name, places)) for each in layout.columns]
    if "ok" not in places:
        return tuple(kept)
    ended = _sum([places[name] for name in RESULTS])
    ran = _sum([places[name] for name in RAN])
    return (
        Shown("events", "events", "count", ended),
        Shown("failed", "events", "count", _sum([places[name] for name in FAILED])),
        *kept,
        Shown("run_mean", "seconds", "last", _mean(places["run_seconds"], ran)),
        Shown("queue_mean", "seconds", "last", _mean(places["queue_seconds"], ended)),
    )


def _value(name: str, places: dict[str, int]) -> Callable[[Row], Any]:
    place = places[name]
    if name == "state":
        return lambda row: STATES[row[place]]
    if name.endswith(("_seconds", "_p50", "_p95", "_p99")):
        return lambda row: None if isnan(row[place]) else round(row[place], 6)
    return itemgetter(place)


def _mean(place: int, count: Callable[[Row], Any]) -> Callable[[Row], Any]:
    def value(row: Row) -> float | None:
        number = count(row)
        return round(row[place] / number, 6) if number else None

    return value


def _sum(places: list[int]) -> Callable[[Row], Any]:
    several = itemgetter(*places)
    return lambda row: sum(several(row))
