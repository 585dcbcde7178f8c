"""Blots out what the config says of JSON bodies, and what looks like a key to something in headers."""

import json
import re
from collections.abc import Sequence
from typing import Any

HIDDEN = "***"
# Any "key": better to blot out a header too many than one that opens a door.
_SECRET_HEADER = re.compile(
    r"auth|cookie|token|secret|passw|key|jwt|credential|session|csrf|xsrf|signature", re.IGNORECASE
)

Paths = Sequence[tuple[str, ...]]


class UnreadableError(ValueError):
    """It is no JSON of which one could say that nothing is left of what is to be hidden."""


def read_paths(paths: Sequence[str]) -> Paths:
    """`user.password` as the keys that lead there."""
    return [tuple(path.split(".")) for path in paths]


def redact_json(text: bytes, paths: Paths) -> bytes | None:
    """The body with `***` at these places, None where it has none of them; raises UnreadableError.

    A path goes through lists: `users.password` is that of each.
    """
    try:
        value = json.loads(text, object_pairs_hook=_without_twins)
        changed = [blot(value, path) for path in paths]
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") if any(changed) else b""
    except (ValueError, RecursionError) as error:
        raise UnreadableError(str(error)) from None
    return text or None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two equal keys only the last would be seen, and the other be kept.
    told = dict(pairs)
    if len(told) < len(pairs):
        raise UnreadableError("an object has one key twice")
    return told


def blot(value: Any, path: tuple[str, ...]) -> bool:
    """Put `***` in the place of what stands at a path; says whether anything does."""
    if isinstance(value, list):
        return sum(blot(each, path) for each in value) > 0
    if not isinstance(value, dict) or path[0] not in value:
        return False
    if len(path) > 1:
        return blot(value[path[0]], path[1:])
    value[path[0]] = HIDDEN
    return True


def blot_headers(meta: dict[str, Any]) -> dict[str, Any]:
    """The metadata with `***` for headers whose name says that they open something."""
    headers = meta.get("headers")
    if not isinstance(headers, dict):
        return meta
    told = {name: HIDDEN if _SECRET_HEADER.search(name) else value for name, value in headers.items()}
    return {**meta, "headers": told}


def without_blots(meta: dict[str, Any]) -> dict[str, Any]:
    """The metadata without the headers that were blotted out, for an event that is made of them."""
    headers = meta.get("headers")
    if not isinstance(headers, dict):
        return meta
    return {**meta, "headers": {name: value for name, value in headers.items() if value != HIDDEN}}
