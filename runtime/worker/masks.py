"""Blots the function's secrets out of what it prints, and of what is told of its failures."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

SHORTEST = 6
"""Characters of the shortest text that is blotted out: a shorter one is in too much that is no secret."""
HIDDEN = "***"

Mask = Callable[[str], str]
Keep = Callable[[str], int]
"""How many characters at the end of a text stay back when it is cut there: a secret may go on after it."""


class Secrets(dict[str, str]):
    """The function's secrets by name; printing them all prints their names."""

    def __repr__(self) -> str:
        return f"<secrets {', '.join(self)}>"

    def __missing__(self, name: str) -> str:
        raise KeyError(f"{name} is no secret of this function; list it under `secrets:` in function.yaml")


def make_mask(secrets: Iterable[str]) -> Mask:
    """What blots these values out of a text, also as Python and JSON write them, and line by line."""
    shapes = _all_shapes(secrets)
    if not shapes:
        return str
    pattern = _pattern_of(shapes)
    return lambda text: pattern.sub(HIDDEN, text)


def keep_nothing(text: str) -> int:
    """Where there are no secrets."""
    return 0


def make_keep(secrets: Iterable[str]) -> Keep:
    """What tells where a text may be cut, so that no secret is in two halves, of which neither is known."""
    return _keep_shapes(_all_shapes(secrets))


def make_byte_keep(secrets: Iterable[str]) -> Callable[[bytes], int]:
    """The same for UTF-8 that may be cut anywhere, in bytes."""
    keep = _keep_shapes(
        [shape.encode("utf-8", "replace").decode("latin-1") for shape in _all_shapes(secrets)]
    )
    return lambda data: keep(data.decode("latin-1"))


def _keep_shapes(shapes: list[str]) -> Keep:
    if not shapes:
        return keep_nothing
    pattern = _pattern_of(shapes)

    def keep(text: str) -> int:
        cut = len(text) - max(_overlap(text, shape) for shape in shapes)
        # What looks like the beginning of one secret may be the end of another.
        inside = (match.start() for match in pattern.finditer(text) if match.start() < cut < match.end())
        return len(text) - next(inside, cut)

    return keep


def _overlap(text: str, shape: str) -> int:
    """How long the end of the text is that the shape, longer than it, begins with."""
    start = max(0, len(text) - len(shape) + 1)
    while (start := text.find(shape[0], start)) >= 0:
        if shape.startswith(text[start:]):
            return len(text) - start
        start += 1
    return 0


def _pattern_of(shapes: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, shapes)))


def _all_shapes(secrets: Iterable[str]) -> list[str]:
    """The longest first: one secret may begin like another."""
    shapes = {shape for value in secrets for shape in _shapes(value) if len(shape) >= SHORTEST}
    return sorted(shapes, key=len, reverse=True)


def _shapes(value: str) -> Iterator[str]:
    yield from (
        value,
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    )
    yield from (line.strip() for line in value.splitlines())
