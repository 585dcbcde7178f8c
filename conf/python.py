"""What a function's code asks of Python: the version, the packages, the entry point."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

OLDEST_PYTHON = (3, 11)
INDEX_OPTIONS = ("-i", "--index-url", "--extra-index-url")
NAMED = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\s*($|\[|[<>=!~(;]|@\s*[A-Za-z+]+://|\s--hash[= ])"
)
REFUSED = ("\n", "\r", "\0", "file:", "${")
FILES = (".whl", ".tar.gz", ".zip")


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


def check_python(version: str) -> str:
    """`version` when it is one that can run functions, such as `3.12` or `3.12.4`; else ValueError."""
    match = re.fullmatch(r"(\d+)\.(\d+)(\.\d+)?", version)
    if match is None:
        raise ValueError(f'{version!r} is not a Python version; write it in quotes, such as "3.12"')
    if (int(match[1]), int(match[2])) < OLDEST_PYTHON:
        raise ValueError(f'Python {version} is too old; use "3.11" or later, in quotes')
    return version


def check_entry(entry: str) -> str:
    """`entry` when it reads package.module.callable, else ValueError."""
    parts = entry.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ValueError(f"{entry!r} is no entry point; write package.module.callable")
    return entry


def _read_version(version: object) -> object:
    return str(version) if isinstance(version, float) else version


PythonVersion = Annotated[
    str, BeforeValidator(_read_version, json_schema_input_type=str), AfterValidator(check_python)
]
Requirement = Annotated[str, AfterValidator(check_requirement)]
EntryPoint = Annotated[str, AfterValidator(check_entry)]
