"""Reads requirements.txt: which lines a package may ask for, and which it may not."""

import re
from pathlib import Path

from conf.python import check_requirement
from functions.errors import PackageError

REQUIREMENTS = "requirements.txt"
COMMENT = re.compile(r"(^|\s)#.*$")


def read_requirements(root: Path) -> tuple[str, ...]:
    """The lines of `root`/requirements.txt without comments; none when there is no such file.

    Raises PackageError that names the line.
    """
    path = root / REQUIREMENTS
    if not path.is_file():
        return ()
    return tuple(_checked(number, line) for number, line in _logical_lines(_decode(path.read_bytes())))


def _checked(number: int, line: str) -> str:
    try:
        return check_requirement(line)
    except ValueError as error:
        raise PackageError(f"{REQUIREMENTS}:{number}: {error}", REQUIREMENTS) from None


def _decode(data: bytes) -> str:
    # PowerShell's `pip freeze > requirements.txt` writes UTF-16 with a byte order mark.
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise PackageError(f"{REQUIREMENTS} is not text in UTF-8; save it as such", REQUIREMENTS) from None


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """(number, line) of what remains after comments, blank lines and continuations are resolved."""
    lines: list[tuple[int, str]] = []
    start, waiting = 0, ""
    for number, raw in enumerate(text.splitlines(), 1):
        start = start if waiting else number
        waiting += COMMENT.sub("", raw).strip()
        if waiting.endswith("\\"):
            waiting = waiting[:-1].rstrip() + " "
            continue
        if waiting:
            lines.append((start, waiting))
        waiting = ""
    return [*lines, (start, waiting.strip())] if waiting.strip() else lines
