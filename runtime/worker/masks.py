"""Blots the function's secrets out of what it prints, and of what is told of its failures."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

SHORTEST = 6
"""Characters of the shortest text that is blotted out: a shorter one is in too much that is no secret."""
HIDDEN = "***"

Mask = Callable[[str], str]


class Secrets(dict[str, str]):
    """The function's secrets by name; printing them all prints their names."""

    def __repr__(self) -> str:
        return f"<secrets {', '.join(self)}>"

    def __missing__(self, name: str) -> str:
        raise KeyError(f"{name} is no secret of this function; list it under `secrets:` in function.yaml")


def make_mask(secrets: Iterable[str]) -> Mask:
    """What blots these values out of a text, also as Python and JSON write them, and line by line."""
    shapes = {shape for value in secrets for shape in _shapes(value) if len(shape) >= SHORTEST}
    if not shapes:
        return str
    # The longest first: one secret may begin like another.
    pattern = re.compile("|".join(map(re.escape, sorted(shapes, key=len, reverse=True))))
    return lambda text: pattern.sub(HIDDEN, text)


def _shapes(value: str) -> Iterator[str]:
    yield from (
        value,
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    )
    yield from (line.strip() for line in value.splitlines())
