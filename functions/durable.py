"""Puts a file in its place so that a power failure leaves the old one or the new one."""

import os
from pathlib import Path


def rename_durably(fresh: Path, place: Path) -> None:
    """Rename; when this returns the name is on disk as well. Raises OSError."""
    fresh.rename(place)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
