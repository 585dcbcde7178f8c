"""Why a revision does not start, as far as its arbiter or its instances could tell."""

import re
from typing import Any

from runtime.worker.masks import Mask


class BootError(Exception):
    """A revision cannot run; `place` is `index.py:12` where it is known, `stack` the package's own frames."""

    def __init__(self, message: str, place: str | None = None, stack: list[str] | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.stack = stack or []


def read_boot_error(record: Any, mask: Mask) -> BootError:
    """What an arbiter or instance told of its failure to start, taken as text whatever it is."""
    record = record if isinstance(record, dict) else {"message": record}
    kind, message = clean(record.get("type", "")), mask(clean(record.get("message", "")))
    place = record.get("place")
    text = message if kind == "LoadError" else f"{kind}: {message}"
    stack = record.get("stack")
    lines = [mask(clean(line)) for line in stack] if isinstance(stack, list) else []
    return BootError(text, clean(place) if place else None, lines)


def clean(text: object) -> str:
    """As text that can be encoded: file names that are not UTF-8 come with lone surrogates."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def find_place(lines: list[str], package_dir: str) -> str | None:
    """The innermost line of the package in what faulthandler printed (innermost first)."""
    for line in lines:
        found = re.search(r'File "' + re.escape(package_dir) + r'/(.+)", line (\d+)', line)
        if found:
            return f"{found[1]}:{found[2]}"
    return None
