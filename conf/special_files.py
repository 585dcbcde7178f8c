"""Knows the files that are read without an end: pipes, sockets and devices, which may hold a reader."""

import os
from pathlib import Path


def is_special(path: Path) -> bool:
    """Whether it is there, and is neither a plain file nor a folder."""
    return os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path))
