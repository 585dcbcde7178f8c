"""Tells when a config file that everybody on the machine may read holds a secret in plain text."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from conf.faults import Fault, below
from conf.references import REFERENCE

SECTIONS = ("secrets", "traces.headers")
"""Mappings of which every value is a secret."""
USERINFO = re.compile(r"://[^/@\s]*:[^/@\s]+@")


def exposed_secret(path: Path, tree: dict[str, object]) -> Fault | None:
    """What to tell of the file at `path`, whose native form is `tree` with references as they are written."""
    mode = stat.S_IMODE(path.stat().st_mode)
    where = next(_literals(tree), None)
    if not mode & stat.S_IROTH or where is None:
        return None
    told = f"is a secret in plain text, and everybody on this machine may read the file (mode {mode:04o})"
    return Fault(where, told, "`chmod 600` the file, or write ${env:NAME} or ${file:PATH} instead")


def holds_secret(path: str, key: str, within: bool) -> bool:
    """Whether the entry `key` of the mapping at `path` is a secret; `within`: the mapping is one itself."""
    return path in SECTIONS or key == "password" or (within and key == "value")


def _literals(value: object, path: str = "", is_secret: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _literals(inner, below(path, str(key)), holds_secret(path, str(key), is_secret))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _literals(inner, below(path, index))
    elif isinstance(value, str) and (is_secret or USERINFO.search(value)) and not REFERENCE.search(value):
        yield path
