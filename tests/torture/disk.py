"""A file system of the host's own, small enough to be filled: a tmpfs, where mounting is permitted."""

import errno
import os
import subprocess
from pathlib import Path

SIZE = 64 * 1024 * 1024
_PIECE = 1024 * 1024


class Disk:
    """`folder` becomes a tmpfs; `why_not` says why it could not."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self._ballast = folder / "ballast"
        self.why_not = self._mount()

    def fill(self, spare: int = 0) -> None:
        """Leave no room for a single byte more, or for `spare` bytes."""
        with open(self._ballast, "ab", buffering=0) as file:
            for piece in (bytes(_PIECE), bytes(4096), bytes(1)):
                _write_all(file.fileno(), piece)
            file.truncate(file.tell() - spare)

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take the file system away, with all that is on it."""
        if not self.why_not:
            subprocess.run(["umount", "--lazy", str(self._folder)], check=False, timeout=30)

    def _mount(self) -> str:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(self._folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        except OSError as error:
            return f"mount cannot be run: {error}"
        return "" if done.returncode == 0 else f"a tmpfs may not be mounted here: {done.stderr.strip()}"


def _write_all(descriptor: int, piece: bytes) -> None:
    try:
        while True:
            os.write(descriptor, piece)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
