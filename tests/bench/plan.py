"""What is measured, how often and for how long."""

import json
from dataclasses import dataclass

BODY_SIZE = 2048


@dataclass(frozen=True)
class Cell:
    """One load over HTTP: a body (by its name) sent over a number of connections."""

    body: str
    connections: int


@dataclass(frozen=True)
class Sizes:
    """What the models hold (`array` in MB, `objects` by number), and invocations of each instance."""

    array: int
    objects: int
    invocations: int


@dataclass(frozen=True)
class Repeats:
    """How often what is not a load is done, each time anew."""

    deploys: int
    deploys_with_packages: int
    restarts: int
    colds: int
    warms: int
    spikes: int


@dataclass(frozen=True)
class Plan:
    """Rounds over all cells, seconds for each shot; `many` is the functions of each host of that section.

    `warm_up` is the seconds of a shot before the first round, and `idle` those for which a host that has
    nothing to do is watched.
    """

    name: str
    cells: tuple[Cell, ...]
    rounds: int
    seconds: int
    warm_up: int
    idle: int
    sizes: Sizes
    repeats: Repeats
    many: tuple[int, ...]


LATENCY_CELL = Cell("A", 1)
LOAD_CELLS = (Cell("A", 16), Cell("A", 64))
CELLS = tuple(Cell(body, connections) for body in "AB" for connections in (1, 16, 64))

FULL = Plan(
    "full",
    CELLS,
    rounds=7,
    seconds=2,
    warm_up=1,
    idle=20,
    sizes=Sizes(array=200, objects=500_000, invocations=1000),
    repeats=Repeats(deploys=10, deploys_with_packages=3, restarts=5, colds=40, warms=100, spikes=10),
    many=(1, 10, 100, 1000),
)
QUICK = Plan(
    "quick",
    LOAD_CELLS[:1],
    rounds=1,
    seconds=1,
    warm_up=0,
    idle=1,
    sizes=Sizes(array=20, objects=20_000, invocations=100),
    repeats=Repeats(deploys=1, deploys_with_packages=0, restarts=1, colds=2, warms=2, spikes=1),
    many=(1, 20),
)


def bodies() -> dict[str, bytes]:
    """A is 17 bytes, answered by `"1"`; B is telemetry of 2 KiB, echoed."""
    return {"A": b'{"t":188,"h":134}', "B": _telemetry()}


def _telemetry() -> bytes:
    points = {f"RC_cylinder{n}_dispPeak": round(86 + n * 0.37, 2) for n in range(60)}
    event = {"deviceInfo": {"deviceName": "press 2", "topic": "line/2"}, "telemetry": points}
    points["ts"] = 1585194439000
    text = json.dumps(event, separators=(",", ":"))
    padding = "x" * (BODY_SIZE - len(text) - len(',"model_data":""'))
    return json.dumps({**event, "model_data": padding}, separators=(",", ":")).encode()
