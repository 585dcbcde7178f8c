"""The config file on disk: read with its digest, and replaced as a whole."""

import contextlib
import os
import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from conf.document import MOST_BYTES
from conf.special_files import is_special
from functions.durable import rename_durably

PRIVATE = 0o600
FRESH, BACKUP = ".fnhost-new", ".bak"


@dataclass(frozen=True)
class Content:
    """What stands in the file; a file that is not there is empty."""

    data: bytes
    exists: bool

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal."""
        return sha256(self.data).hexdigest()

    @property
    def text(self) -> str:
        """As text; raises UnicodeDecodeError."""
        return self.data.decode("utf-8-sig")


class ConfigFile:
    """The file at `path`, or the one that a link there leads to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_json(self) -> bool:
        """Whether it is read as JSON."""
        return self.path.suffix.lower() == ".json"

    def read(self) -> Content:
        """What stands in it. Raises OSError, also for what is no plain file."""
        if is_special(self.path):
            raise OSError(f"{self.path} is no plain file")
        try:
            with self.path.open("rb") as file:
                return Content(file.read(MOST_BYTES + 1), True)
        except FileNotFoundError:
            return Content(b"", False)

    def obstacle(self) -> tuple[str, str]:
        """What keeps it from being replaced: `no_folder`, `file` or `folder`, and a sentence; else empty."""
        place = self.path.resolve()
        if not place.parent.is_dir():
            return "no_folder", f"there is no folder {place.parent}"
        if place.exists() and not os.access(place, os.W_OK):
            return "file", f"{place} cannot be written by the host's user"
        if not os.access(place.parent, os.W_OK):
            return "folder", f"nothing can be written in {place.parent} by the host's user"
        return "", ""

    def replace(self, data: bytes) -> None:
        """Write it anew, with its owner and mode; it is on disk when this returns. Raises OSError."""
        place = self.path.resolve()
        fresh = place.with_name(place.name + FRESH)
        mode, owner = PRIVATE, None
        with contextlib.suppress(FileNotFoundError):
            found = place.stat()
            mode, owner = stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid)
        fresh.unlink(missing_ok=True)
        try:
            _write(fresh, data, mode, owner)
            rename_durably(fresh, place)
        finally:
            fresh.unlink(missing_ok=True)

    def restore(self, content: Content) -> None:
        """Have it as it was. Raises OSError."""
        if content.exists:
            self.replace(content.data)
        else:
            self.path.unlink(missing_ok=True)

    def back_up(self, content: Content) -> Path:
        """Keep what was in it beside it. Raises OSError."""
        place = self.path.resolve()
        backup = ConfigFile(place.with_name(place.name + BACKUP))
        backup.replace(content.data)
        return backup.path


def _write(file: Path, data: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(file, flags, PRIVATE), "wb") as stream:
        if owner is not None and owner != (os.geteuid(), os.getegid()):
            # Others than root may not give files away: then it belongs to who wrote it.
            with contextlib.suppress(PermissionError):
                os.fchown(stream.fileno(), *owner)
        os.fchmod(stream.fileno(), mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
