"""What `fnhost top` shows, worked out of what the API tells."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from host.client.client import Client

WINDOW = 5
"""Seconds that rates and times are of."""
IDLE = 10
"""Seconds in which also what is idle has a row."""
FUNCTION = "events,failed,run_p50,run_p99,queued,memory,cpu_seconds"
HOST = "events,failed,memory,host_memory,cpu_seconds,processes,inbox,outbox,dead_letters"
HEADER = ("function", "state", "instances", "events/s", "failed/s", "p50", "p99", "queue", "memory", "CPU")
MIB = 1024 * 1024

Json = dict[str, Any]


@dataclass(frozen=True)
class Series:
    """Some seconds of one series; of what was not seen, all figures are 0 or unknown.

    `values` are all that were told, and `recent` those of the last seconds only.
    """

    values: dict[str, list[Any]]
    recent: dict[str, list[Any]]

    def rate(self, name: str) -> float:
        """What came in a second, on average."""
        return sum(self.recent.get(name, ())) / WINDOW

    def last(self, name: str) -> int:
        """What was seen last."""
        return int((self.values.get(name) or [0])[-1])

    def highest(self, name: str) -> float | None:
        """The highest that is known."""
        return max((each for each in self.recent.get(name, ()) if each is not None), default=None)

    def mean(self, name: str) -> float | None:
        """The mean of a time, each second counting by its events."""
        pairs = list(zip(self.recent.get(name, ()), self.recent.get("events", ()), strict=False))
        known = [(each, events) for each, events in pairs if each is not None and events]
        events = sum(count for _, count in known)
        return sum(each * count for each, count in known) / events if events else None


@dataclass(frozen=True)
class Picture:
    """One look: a line about the host, and a row for each function, the busiest first."""

    line: str
    rows: list[tuple[str, ...]]


def take_picture(client: "Client", condition: Callable[[Json], object]) -> Picture:
    """Ask the host; raises ClientError. `condition` says in a word how a function is."""
    from host.client.history import read_connections, read_history

    asked = {"since": f"{IDLE + 1}s", "step": "1s"}
    host = next(iter(_series(read_history(client, {**asked, "columns": HOST})).values()), Series({}, {}))
    told = _series(read_history(client, {**asked, "scope": "function", "columns": FUNCTION}))
    functions = [(each, told.get(each["name"], Series({}, {}))) for each in client.functions()]
    functions.sort(key=lambda pair: (-pair[1].rate("events"), -pair[1].rate("cpu_seconds"), pair[0]["name"]))
    rows = [_row(each, series, str(condition(each))) for each, series in functions]
    return Picture(_line(host, read_connections(client)), rows)


def _series(answer: Json) -> dict[str | None, Series]:
    # The second that is not over has no row yet.
    return {each["function"]: _cut(each, int(answer["now"]) - WINDOW) for each in answer["series"]}


def _cut(series: Json, begin: int) -> Series:
    values, times = series["values"], series["times"]
    skipped = sum(at < begin for at in times)
    return Series(values, {name: column[skipped:] for name, column in values.items()})


def _row(function: Json, series: Series, state: str) -> tuple[str, ...]:
    return (
        function["name"],
        state,
        f"{function.get('instances')}/{function.get('wanted')}",
        f"{series.rate('events'):.1f}",
        f"{series.rate('failed'):.1f}",
        say_time(series.mean("run_p50")),
        say_time(series.highest("run_p99")),
        str(function.get("queued", 0)),
        say_memory(series.last("memory")),
        f"{series.rate('cpu_seconds'):.0%}",
    )


def _line(host: Series, connections: Iterable[Json]) -> str:
    links = list(connections)
    up = sum(bool(each.get("connected")) for each in links)
    brokers = f"{up} of {len(links)} broker connections up" if links else "no broker"
    return (
        f"{host.rate('events'):.1f} events/s, {host.rate('failed'):.1f} failed/s; "
        f"CPU {host.rate('cpu_seconds'):.0%} of a core; memory {say_memory(host.last('memory'))} "
        f"(host {say_memory(host.last('host_memory'))}); {host.last('processes')} processes; {brokers}; "
        f"inbox {host.last('inbox')}, outbox {host.last('outbox')}, dead letters {host.last('dead_letters')}"
    )


def say_time(seconds: float | None) -> str:
    """`0.4 ms`, `12 ms`, `1.2 s`; `-` for none."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else f"{seconds * 1000:.0f} ms"


def say_memory(size: int) -> str:
    """MiB, to be compared down a column; `-` where nothing runs or nothing was read yet."""
    return f"{size / MIB:.0f} MiB" if size else "-"
