"""Reads requirements.txt: which lines a package may ask for, and which it may not."""

import re
from pathlib import Path

from functions.errors import PackageError

REQUIREMENTS = "requirements.txt"
INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url")
NAMED = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*($|\[|[<>=!~(;]|@\s*[A-Za-z+]+://|\s--hash[= ])"
)
REFUSED = ("\n", "\r", "\0", "file:", "${")
FILES = (".whl", ".tar.gz", ".zip")
COMMENT = re.compile(r"(^|\s)#.*$")


def read_requirements(root: Path) -> tuple[str, ...]:
    """The lines of `root`/requirements.txt without comments; none when there is no such file.

    Raises PackageError that names the line.
    """
    path = root / REQUIREMENTS
    if not path.is_file():
        return ()
    return tuple(_checked(number, line) for number, line in _logical_lines(_decode(path.read_bytes())))


def check_requirement(line: str) -> str:
    """`line` when it names a package or an index; raises ValueError for paths and other options.

    A file on the host or an option such as `--no-binary` would reach around the rules for packages.
    """
    if any(token in line for token in REFUSED):
        raise ValueError(f"{line!r} holds a line break, a file: address or a ${{variable}}; write it plainly")
    if line.startswith("-"):
        if re.split(r"[=\s]", line, maxsplit=1)[0] in INDEX_OPTIONS:
            return line
        raise ValueError(f"{line!r} is not supported; name packages and, if need be, an --index-url")
    if not NAMED.match(line) or ("@" not in line and line.endswith(FILES)):
        raise ValueError(f"{line!r} does not name a package; write name==version, and put files into wheels/")
    return line


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
