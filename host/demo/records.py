"""What the fake sensor sends to the sample packages, and which answers to it are right."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

TOPICS = "/gridsum/test/telm"
TYPES = ("Pickup truck", "Van", "Sedan", "SUV", "Minivan", "Coupe")
FUELS = ("Methanol", "Gasoline", "Diesel", "Electric", "Ethanol")
BRANDS = (("De Lorean", "DMC-12"), ("Toyota", "Camry Solara"), ("Ford", "F-150"), ("Volvo", "740"))
CLEAR = 60


@dataclass(frozen=True)
class Sample:
    """One sample package: its function, its topics, its events and what is right about its answers."""

    function: str
    source: str
    target: str
    make_event: Callable[[random.Random], bytes]
    is_right: Callable[[bytes, bytes], bool]


def samples() -> tuple[Sample, Sample]:
    """Both of them."""
    return (
        Sample("industry", f"{TOPICS}/in/m1", f"{TOPICS}/out/m1", make_truck, is_truck_right),
        Sample("test", f"{TOPICS}/in/m_test", f"{TOPICS}/out/m_test", make_point, is_point_right),
    )


def make_truck(source: random.Random) -> bytes:
    """One record and a newline, as the walk-through's generator wrote them."""
    brand, model = source.choice(BRANDS)
    record = {
        "type": source.choice(TYPES),
        "fuel": source.choice(FUELS),
        "transmission": source.choice(("Manual", "Automatic")),
        "brand": brand,
        "model": model,
        "year": source.randint(1980, 2024),
    }
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def is_truck_right(event: bytes, answer: bytes) -> bool:
    """A whole temperature from 40 to 80, and the event's text byte for byte."""
    value = _parse(answer)
    if not isinstance(value, dict) or value.keys() != {"temperature", "payload"}:
        return False
    degrees = value["temperature"]
    return type(degrees) is int and 40 <= degrees <= 80 and value["payload"] == event.decode()


def make_point(source: random.Random) -> bytes:
    """A temperature and a humidity that lie far enough on one side for any good classifier."""
    while True:
        t, h = source.randint(0, 200), source.randint(0, 200)
        if abs(2 * t + h - 300) >= CLEAR:
            return json.dumps({"t": t, "h": h}, separators=(",", ":")).encode()


def is_point_right(event: bytes, answer: bytes) -> bool:
    """`"1"` above the line that the training data was labelled by, `"0"` below; the model is not asked."""
    point = json.loads(event)
    return answer == (b'"1"' if 2 * point["t"] + point["h"] > 300 else b'"0"')


def _parse(answer: bytes) -> object:
    try:
        return json.loads(answer)
    except ValueError:
        return None
