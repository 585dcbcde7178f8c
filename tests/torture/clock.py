"""Moves the wall clock of one host only: it reads how far from a file that the torture writes."""

import mmap
import os
import struct
import time
from pathlib import Path

VARIABLE = "TORTURE_CLOCK"
_SECONDS = struct.Struct("d")
# Python imports a module of this name before it runs anything else.
STARTER = "sitecustomize.py"


class Clock:
    """The torture's end: `environment` starts a host whose clock `move` moves."""

    def __init__(self, folder: Path, root: Path) -> None:
        folder.mkdir()
        (folder / STARTER).write_text("from tests.torture.clock import shift_time\n\nshift_time()\n")
        self._file = folder / "offset"
        self.move(0.0)
        self.environment = {"PYTHONPATH": f"{folder}{os.pathsep}{root}", VARIABLE: str(self._file)}

    def move(self, seconds: float) -> None:
        """From now on the host's clock is `seconds` ahead of ours."""
        with open(self._file, "r+b" if self._file.exists() else "wb") as file:
            file.write(_SECONDS.pack(seconds))


def shift_time() -> None:
    """The host's end: from now on `time.time` and `time.time_ns` are shifted in this process."""
    path = os.environ.get(VARIABLE)
    if path is None or not os.path.exists(path):
        return
    with open(path, "rb") as file:
        offset = mmap.mmap(file.fileno(), _SECONDS.size, access=mmap.ACCESS_READ)
    real = time.time

    def shifted() -> float:
        return real() + float(_SECONDS.unpack(offset[:])[0])

    time.time = shifted
    time.time_ns = lambda: int(shifted() * 1e9)
