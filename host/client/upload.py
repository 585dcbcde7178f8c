"""A file on its way to a host, for the person who watches how much of it has gone."""

import os
from collections.abc import Callable, Iterator
from typing import BinaryIO

PIECE = 64 * 1024


class Upload:
    """Reads `file` for httpx, which learns its size by `fileno`; `tell` hears bytes gone and bytes in all."""

    def __init__(self, file: BinaryIO, tell: Callable[[int, int], None]) -> None:
        self._file = file
        self._tell = tell
        self._gone = 0
        self._total = os.fstat(file.fileno()).st_size

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        """The next bytes; those before them are gone."""
        self._tell(self._gone, self._total)
        piece = self._file.read(size)
        self._gone += len(piece)
        return piece

    def __iter__(self) -> Iterator[bytes]:
        """All that is left."""
        return iter(lambda: self.read(PIECE), b"")
