"""Why a revision does not start, as far as its arbiter or its instances could tell."""

import logging
import re
from dataclasses import dataclass
from typing import Any

from runtime.spec import PoolSpec
from runtime.told import MOST_LINES, read_stack, read_text
from runtime.worker.masks import Mask

logger = logging.getLogger(__name__)

MOST_WARNINGS = 20
LONGEST_WARNING = 300


class BootError(Exception):
    """A revision cannot run; `place` is `index.py:12` where it is known, `stack` the package's own frames."""

    def __init__(self, message: str, place: str | None = None, stack: list[str] | None = None) -> None:
        super().__init__(message)
        self.place = place
        self.stack = stack or []


def log_error(spec: PoolSpec, error: BootError) -> BootError:
    """Say in the host's log that a revision does not start; gives the error back."""
    fields = {"event": "start.failed", **spec.fields, "place": error.place}
    logger.warning("%s does not start: %s", spec.label, error, extra=fields)
    return error


@dataclass(frozen=True)
class LoadWarning:
    """What Python warned of while a package was loaded.

    `made` and `installed` are versions of scikit-learn where it was about a model of another one, else empty.
    """

    text: str
    made: str = ""
    installed: str = ""

    def __str__(self) -> str:
        if not (self.made and self.installed):
            return self.text
        remedy = f"pin scikit-learn=={self.made} in requirements.txt, or export it again"
        told = f"a model was made with scikit-learn {self.made}, and {self.installed} is installed"
        return f"{self.text} ({told}; {remedy})"


def read_warnings(notes: Any, mask: Mask) -> tuple[LoadWarning, ...]:
    """What an arbiter told of warnings, taken as text whatever it is."""
    named = [each for each in notes if isinstance(each, dict)][:MOST_WARNINGS]
    texts = (
        (
            read_text(clean(each.get(name, "")), mask, LONGEST_WARNING)
            for name in ("text", "made", "installed")
        )
        for each in named
    )
    return tuple(LoadWarning(*each) for each in texts)


def read_boot_error(record: Any, mask: Mask) -> BootError:
    """What an arbiter or instance told of its failure to start, taken as text whatever it is."""
    record = record if isinstance(record, dict) else {"message": record}
    kind, message = (read_text(clean(record.get(name, "")), mask) for name in ("type", "message"))
    place = record.get("place")
    text = message if kind == "LoadError" else f"{kind}: {message}"
    stack = record.get("stack")
    lines = [clean(line) for line in stack[-MOST_LINES:]] if isinstance(stack, list) else []
    return BootError(text, read_text(clean(place), mask) if place else None, read_stack(lines, mask))


def clean(text: object) -> str:
    """As text that can be encoded: file names that are not UTF-8 come with lone surrogates."""
    try:
        return str(text).encode("utf-8", "backslashreplace").decode()
    except RecursionError:
        return "what is nested too deep to be told"


def find_place(lines: list[str], package_dir: str) -> str | None:
    """The innermost line of the package in what faulthandler printed (innermost first)."""
    for line in lines:
        found = re.search(r'File "' + re.escape(package_dir) + r'/(.+)", line (\d+)', line)
        if found:
            return f"{found[1]}:{found[2]}"
    return None
