"""The numbers that stand in what a device says, by their paths, for plots."""

import json
from itertools import islice
from typing import Any

from host.observing.records.redaction import Paths, blot

DEEPEST = 4
MOST_NUMBERS = 8
MOST_LOOKED_AT = 20
"""Values of one object or list that are looked at: what comes after them is in no plot."""
LONGEST_PATH = 120
LARGEST = 1e300


def read_numbers(body: bytes, hidden: Paths) -> dict[str, float]:
    """The first few numbers of a JSON body, by paths such as `a.b[0]`; nothing of one that is none.

    A flag is 1 or 0. What stands at a `hidden` path is left out.
    """
    try:
        value = json.loads(body)
        for keys in hidden:
            blot(value, keys)
    except (ValueError, RecursionError):
        return {}
    found: dict[str, float] = {}
    _find(value, "", 0, found)
    return found


def _find(value: Any, path: str, depth: int, found: dict[str, float]) -> None:
    if isinstance(value, int | float):
        if abs(value) < LARGEST:  # which is not so of what is no number
            found[path] = float(value)
    elif isinstance(value, dict) and depth < DEEPEST:
        for key, each in islice(value.items(), MOST_LOOKED_AT):
            if len(found) >= MOST_NUMBERS:
                return
            _find(each, (f"{path}.{key}" if path else key)[:LONGEST_PATH], depth + 1, found)
    elif isinstance(value, list) and depth < DEEPEST:
        for place, each in enumerate(value[:MOST_LOOKED_AT]):
            if len(found) >= MOST_NUMBERS:
                return
            _find(each, f"{path}[{place}]", depth + 1, found)
