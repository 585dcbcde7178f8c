"""What is measured, how often and for how long."""

import json
from dataclasses import dataclass

BODY_SIZE = 2048


@dataclass(frozen=True)
class Cell:
    """One load: a body (by its letter) sent over a number of connections."""

    body: str
    connections: int


@dataclass(frozen=True)
class Plan:
    """Rounds over all cells, seconds for each shot, what the models hold, invocations of each instance."""

    name: str
    cells: tuple[Cell, ...]
    rounds: int
    seconds: int
    model_mib: int
    model_objects: int
    invocations: int
    repeats: int


IN_FLIGHT = 1000
RATE = 1000
FLOOD, PACED = f"{IN_FLIGHT:,} in flight", f"{RATE:,} events/s"
"""The loads over MQTT: as many as come back, and so many a second."""

RATIO_CELL = Cell("A", 16)
LATENCY_CELL = Cell("A", 1)
CELLS = tuple(Cell(body, connections) for body in "AB" for connections in (1, 16, 64))

FULL = Plan(
    "full", CELLS, rounds=7, seconds=2, model_mib=200, model_objects=500_000, invocations=1000, repeats=5
)
QUICK = Plan("quick", (LATENCY_CELL, RATIO_CELL), 1, 1, 20, 20_000, invocations=100, repeats=1)


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
