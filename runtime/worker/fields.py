"""Turns what a function logs beside its text into a JSON object of bounded size, without secrets."""

import json
from collections.abc import Mapping
from typing import Any

from .logs import MOST_FIELDS
from .masks import Mask

LONGEST_NAME, LONGEST_VALUE = 64, 500
"""Characters of a field's name, and of a value that is text or has to become so."""
CUT = "…"
RESERVE = 40


def encode_fields(fields: Mapping[str, Any], mask: Mask) -> str:
    """ASCII in one line, empty for no fields; `_cut` says how many there was no room for."""
    told: dict[str, object] = {}
    room, cut = MOST_FIELDS - RESERVE, 0
    for name, value in fields.items():
        pair = {mask(str(name))[:LONGEST_NAME]: _shown(value, mask)}
        size = len(json.dumps(pair))
        if size <= room:
            told |= pair
            room -= size
        else:
            cut += 1
    if cut:
        told["_cut"] = cut
    return json.dumps(told) if told else ""


def _shown(value: object, mask: Mask) -> object:
    """A value as JSON has it; text, and what can only be shown as such, masked before it is cut."""
    if isinstance(value, str):
        return _cut(mask(value))
    try:
        text = json.dumps(value, default=_plain)
    except (TypeError, ValueError, RecursionError):
        return _cut(mask(repr(value)))
    masked = mask(text)
    return json.loads(text) if masked == text and len(text) <= LONGEST_VALUE else _cut(masked)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + CUT


def _plain(value: Any) -> object:
    """Scalars and arrays of numpy are numbers and lists."""
    return value.tolist() if hasattr(value, "tolist") else repr(value)
