"""Converts a config file of any generation to the native form."""

from collections.abc import Mapping
from pathlib import Path

from conf.document import MOST_BYTES
from conf.faults import ConfigError
from conf.load import Examination, examine_config
from conf.native_text import write_native
from conf.readers.recognise import NATIVE


def convert_config(path: Path, env: Mapping[str, str]) -> bytes:
    """The native form of the file at `path`; a native file as it stands, byte for byte.

    Each assumption is a comment where it was made. Raises ConfigError when the config has faults.
    """
    found = examine_config(path, env)
    if found.faults:
        raise ConfigError(list(found.faults), str(path))
    if found.generation == NATIVE:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    return native_form(found).encode()


def native_form(found: Examination) -> str:
    """The native form of what was found in a file of an older generation."""
    return write_native(found.tree, _comments(found))


def _comments(found: Examination) -> dict[str, list[str]]:
    comments: dict[str, list[str]] = {
        "": [f"Converted from generation {found.generation.removeprefix('v')}."]
    }
    for note in found.notes:
        comments.setdefault(note.at, []).append(note.sentence)
    for fault in found.stopped.values():
        comments.setdefault(fault.path, []).append(fault.message)
    return comments
