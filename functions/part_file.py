"""A download that is not complete yet: its bytes so far, and what lets a server go on with them."""

import json
import os
from pathlib import Path
from typing import IO

BUFFER = 1024 * 1024


class PartFile:
    """`<target>.part`, and beside it `.mark` with the server's validator (ETag or date) of those bytes.

    `purpose` names what the bytes are for: a refusal holds for the same purpose only.
    """

    def __init__(self, target: Path, purpose: str) -> None:
        self._target = target
        self.path = target.with_name(target.name + ".part")
        self._mark = target.with_name(target.name + ".mark")
        self._purpose = purpose

    @property
    def size(self) -> int:
        """Bytes there so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def headers(self) -> dict[str, str]:
        """What to ask with: for the rest of these bytes, or for anything but the bytes that were refused."""
        validator, refused = self._read_mark()
        if not validator:
            return {}
        if refused:
            is_tag = validator.endswith('"')
            return {"If-None-Match" if is_tag else "If-Modified-Since": validator}
        # A weak tag does not promise the same bytes (RFC 9110, 13.1.5).
        if not self.size or validator.startswith("W/"):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": validator}

    def open(self, offset: int, validator: str) -> IO[bytes]:
        """The file, to be written from `offset` on; 0 begins anew with bytes that `validator` stands for."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if offset:
            return self.path.open("ab", BUFFER)
        self.path.unlink(missing_ok=True)  # first: the mark must never stand beside bytes of another answer
        self._write_mark(validator, refused=False)
        return self.path.open("wb", BUFFER)

    def drop(self) -> None:
        """Forget the bytes and their mark."""
        self.path.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def refuse(self) -> None:
        """Forget the bytes, and remember not to take the same ones again."""
        validator, _ = self._read_mark()
        self.path.unlink(missing_ok=True)
        self._write_mark(validator, refused=True)

    def publish(self) -> None:
        """Put the complete file in its place; after a power failure it is there whole or not at all."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.rename(self._target)
        self._mark.unlink(missing_ok=True)
        folder = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read_mark(self) -> tuple[str, bool]:
        try:
            mark = json.loads(self._mark.read_text(encoding="utf-8"))
            return str(mark["validator"]), mark["refused"] == self._purpose
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return "", False

    def _write_mark(self, validator: str, *, refused: bool) -> None:
        mark = {"validator": validator, "refused": self._purpose if refused else None}
        self._mark.write_text(json.dumps(mark), encoding="utf-8")
