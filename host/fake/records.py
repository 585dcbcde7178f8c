"""Endless fake records as devices send them, one line of JSON each; the same seed gives the same ones."""

import json
import random
from collections.abc import Callable, Iterator
from itertools import count

from host.demo.records import make_point, make_truck

FIRST_TS = 1_585_194_439_000
PERIOD = 1000  # milliseconds from one record of the telemetry to the next
DEVICES = ("设备1", "设备2", "三厂-设备")
# Some devices spell it so.
EDGE_FLAGS = ("edgeCalculation", "edgeCalulation")


def fake_records(seed: int) -> dict[str, Iterator[bytes]]:
    """The records by the path that gives them; those of one path do not depend on who asks for others."""
    return {path: make(random.Random(f"{seed} {path}")) for path, make in PATHS.items()}  # noqa: S311


def make_cars(source: random.Random) -> Iterator[bytes]:
    """What the sample package `industry` takes."""
    while True:
        yield make_truck(source)


def make_points(source: random.Random) -> Iterator[bytes]:
    """What the sample package `test` takes: a temperature and a humidity."""
    while True:
        yield make_point(source) + b"\n"


def make_telemetry(source: random.Random) -> Iterator[bytes]:
    """Readings of a device, with what a model may need to know of it."""
    for number in count():
        ts = FIRST_TS + number * PERIOD
        record: dict[str, object] = {
            "deviceInfo": _device(source),
            "telemetry": _readings(source, ts),
            "model_data": source.choice((_parameters, _trend))(source, ts),
        }
        yield _line(record)


PATHS: dict[str, Callable[[random.Random], Iterator[bytes]]] = {
    "/car": make_cars,
    "/th": make_points,
    "/telemetry": make_telemetry,
}


def _device(source: random.Random) -> dict[str, object]:
    return {
        "deviceName": source.choice(DEVICES),
        "edgeDeviceName": "设备three",
        "topic": source.choice(("GG1", "GG2")),
        source.choice(EDGE_FLAGS): False,
        "encryption": False,
        "compression": False,
    }


def _readings(source: random.Random, ts: int) -> dict[str, object]:
    return {
        "ts": ts,
        "RC_cylinder1_1P_d_dispPeak": source.randint(60, 120),
        "OPC温度": source.randint(10_000, 11_000),
        "OPC湿度": str(source.randint(60, 99)),
        "OPC电量": source.choice((True, False)),
    }


def _parameters(source: random.Random, ts: int) -> dict[str, object]:
    return {"GS0101": f"1.{source.randint(0, 9)}", "GS0102": f"1.{source.randint(0, 9)}"}


def _trend(source: random.Random, ts: int) -> dict[str, object]:
    series = [[ts - age * PERIOD, source.randint(20, 40)] for age in range(5, 0, -1)]
    return {"window": "short", "trend_model_data": series}


def _line(record: dict[str, object]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
