"""Says how an answer differs from the expected one, as a small unified difference."""

import difflib
import json
from collections.abc import Iterator
from typing import Any

MOST_LINES = 40


def difference(expected: Any, answered: Any, approx: float) -> list[str]:
    """The lines of the difference, none where both are the same.

    Numbers may be off by `approx` times the larger of 1 and the expected one's size.
    """
    answered = _settle(expected, answered, approx)
    if _same(expected, answered):
        return []
    lines = list(_unified(_lines_of(expected), _lines_of(answered)))
    # The ends of lines, which are not seen where text stands line by line.
    lines = lines or list(_unified([json.dumps(expected)], [json.dumps(answered)]))
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"… and {len(lines) - MOST_LINES} lines more"]
    return lines


def _unified(expected: list[str], answered: list[str]) -> Iterator[str]:
    return difflib.unified_diff(expected, answered, "expected", "answered", n=2, lineterm="")


def _lines_of(value: Any) -> list[str]:
    if isinstance(value, str) and "\n" in value:
        return value.splitlines()
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).splitlines()


def _settle(expected: Any, answered: Any, approx: float) -> Any:
    """`answered` with each number that is near enough replaced by the expected one."""
    if isinstance(expected, dict) and isinstance(answered, dict):
        told = {key: _settle(expected[key], answered[key], approx) for key in expected.keys() & answered}
        return {**answered, **told}
    if isinstance(expected, list) and isinstance(answered, list) and len(expected) == len(answered):
        return [_settle(*pair, approx) for pair in zip(expected, answered, strict=True)]
    if _is_number(expected) and _is_number(answered):
        return expected if _is_near(expected, answered, approx) else answered
    return answered


def _is_near(expected: float, answered: float, approx: float) -> bool:
    try:
        return abs(expected - answered) <= approx * max(1.0, abs(expected))
    except OverflowError:  # an integer that is larger than any float
        return expected == answered


def _same(expected: Any, answered: Any) -> bool:
    # For Python, 1 is True; for JSON it is not.
    return json.dumps(expected, sort_keys=True) == json.dumps(answered, sort_keys=True)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
