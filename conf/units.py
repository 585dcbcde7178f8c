"""Durations (`500ms`, `10s`) and sizes (`512MiB`) as people write them, read as seconds and bytes."""

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")


def parse_duration(text: str | int | float) -> float:
    """Seconds of `500ms`, `10s`, `5m`, `1h`, `2d` or a bare number of seconds.

    Raises ValueError for anything else, negative and endless ones included.
    """
    return _quantity(text, SECONDS, "s", "a duration such as 500ms, 10s, 5m, 1h or 2d")


def parse_size(text: str | int | float) -> int:
    """Bytes of `512MiB`, `10MB`, `1GiB` or a bare number of bytes.

    Raises ValueError for anything else, and for a fraction of a byte.
    """
    wanted = "a size such as 512MiB, 10MB or 1GiB"
    size = _quantity(text, BYTES, "B", wanted)
    if size != int(size):
        raise ValueError(f"{text!r} is not a whole number of bytes; write {wanted}")
    return int(size)


def _quantity(value: object, units: dict[str, float] | dict[str, int], bare: str, wanted: str) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"write {wanted}")  # noqa: TRY004 - pydantic collects ValueErrors
    if not isinstance(value, str):
        return _checked(value, value, wanted)
    match = QUANTITY.fullmatch(value.strip())
    if match is None:
        raise ValueError(f"{value!r} is not {wanted}")
    number, unit = match.groups()
    if (unit or bare) not in units:
        raise ValueError(f"{value!r} has an unknown unit {unit!r}; write {wanted}")
    return _checked(float(number) * units[unit or bare], value, wanted)


def _checked(number: float, value: object, wanted: str) -> float:
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{value!r} is not {wanted}")
    return float(number)


Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)?$",
            "minimum": 0,
            "description": "A duration: 500ms, 10s, 5m, 1h, 2d, or a number of seconds.",
            "examples": ["500ms", "10s", "5m"],
        }
    ),
]
Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema(
        {
            "type": ["string", "integer"],
            "pattern": r"^[0-9]+(\.[0-9]+)?\s*(B|kB|KB|MB|GB|TB|KiB|MiB|GiB|TiB)?$",
            "minimum": 0,
            "description": "A size: 512MiB, 10MB, 1GiB, or a number of bytes.",
            "examples": ["512MiB", "10MB"],
        }
    ),
]
