"""The audit log: who changed what, from where and how it ended; append-only, each line seals those before.

One JSON object per line in `audit.log` of the state folder, the oldest parts in `audit.1.log` and so on.
`hash` is the SHA-256 of the line without it, and `prev` the hash of the line before: no line can be changed,
left out or put in between without a break that `read_chain` finds. Whoever may write the file can seal all
of it anew, or leave out its end: against that, note the newest hash elsewhere.
"""

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

FILE = "audit.log"
MOST_BYTES = 4 * 1024 * 1024
KEPT = 8
"""Full parts that are kept beside the one that is written."""
START = "0" * 64
LONGEST_TEXT = 300
BAD_PER_MINUTE = 30

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: `token:ID`, `local`, `anonymous` or `host`; and from which address."""

    name: str
    peer: str = ""


HOST = Actor("host")
"""What the host does by its config, or because of a signal."""


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done to what, and how that ended; what is not known is empty and left out."""

    action: str
    target: str = ""
    outcome: str = "ok"
    revision: str = ""
    digest: str = ""
    isolation: str = ""


class AuditLog:
    """Appends to the file. A line survives the death of the host, and a power failure after some seconds."""

    def __init__(self, folder: Path, clock: Callable[[], float], most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self._file = folder / FILE
        self._clock = clock
        self._most = most_bytes
        self._descriptor: int | None = None
        self._size = self._number = 0
        self._last = START
        self._minute, self._bad = 0.0, 0

    def open(self) -> None:
        """Go on where the file ends; a line that a crash has cut goes, which is said. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._file, flags, 0o600)
        content = self._file.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(self._descriptor, len(whole))
        self._size = len(whole)
        newest = last_record(self.folder)
        self._number, self._last = int(newest.get("n", 0)), str(newest.get("hash", START))
        if len(whole) < len(content):
            self.record(HOST, Deed("audit.repair", f"{len(content) - len(whole)} bytes of a cut line"))

    def close(self) -> None:
        """Write no more."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def record(self, actor: Actor, deed: Deed) -> None:
        """Append a line; a disk that does not take it is logged, and the host goes on."""
        told = {"actor": actor.name, "peer": actor.peer, "action": deed.action, "target": deed.target}
        told |= {"outcome": deed.outcome, "revision": deed.revision, "digest": deed.digest}
        told["isolation"] = deed.isolation
        shown = {name: value[:LONGEST_TEXT] for name, value in told.items() if value}
        record: Record = {"n": self._number + 1, "ts": round(self._clock(), 3), **shown, "prev": self._last}
        record["hash"] = own = seal(record)
        try:
            self._append(json.dumps(record).encode() + b"\n")
        except OSError as error:
            logger.error("the audit log cannot be written (%s): %s", error.strerror, shown)
            return
        self._number, self._last = self._number + 1, own

    def record_refusal(self, actor: Actor, deed: Deed) -> None:
        """As `record`, for what callers bring about at will: some each minute, then only how many more."""
        minute = self._clock() // 60
        if minute != self._minute:
            if self._bad > BAD_PER_MINUTE:
                more = f"{self._bad - BAD_PER_MINUTE} more within a minute"
                self.record(HOST, Deed("access.refused", more, "refused"))
            self._minute, self._bad = minute, 0
        self._bad += 1
        if self._bad <= BAD_PER_MINUTE:
            self.record(actor, deed)

    def _append(self, line: bytes) -> None:
        if self._descriptor is None:
            raise OSError(None, "it is not open")
        if self._size and self._size + len(line) > self._most:
            self._rotate()
        written = os.write(self._descriptor, line)
        self._size += written
        if written < len(line):
            os.truncate(self._descriptor, self._size - written)
            self._size -= written
            raise OSError(None, "the disk is full")

    def _rotate(self) -> None:
        if self._file.exists():  # it does not where the last try got no further than here
            for number in range(KEPT - 1, 0, -1):
                if (part := _part(self.folder, number)).exists():
                    part.rename(_part(self.folder, number + 1))
            self._file.rename(_part(self.folder, 1))
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        fresh = os.open(self._file, flags, 0o600)
        self.close()
        self._descriptor, self._size = fresh, 0


def seal(record: Record) -> str:
    """The hash of a record; of all that it says but its own hash."""
    told = {name: value for name, value in record.items() if name != "hash"}
    return sha256(json.dumps(told).encode()).hexdigest()


def parts_of(folder: Path) -> list[Path]:
    """The files of the log that there are, the oldest first."""
    parts = [_part(folder, number) for number in range(KEPT, 0, -1)]
    return [part for part in [*parts, folder / FILE] if part.exists()]


def _part(folder: Path, number: int) -> Path:
    return folder / f"audit.{number}.log"


def last_record(folder: Path) -> Record:
    """The newest record, empty without one that can be read."""
    return next(iter(newest_records(folder, 1)), {})


def newest_records(folder: Path, most: int) -> list[Record]:
    """The newest `most` records, the oldest of them first; what is no record is left out. Raises OSError."""
    found: list[Record] = []
    if most <= 0:
        return found
    for part in reversed(parts_of(folder)):
        lines = part.read_bytes().splitlines()
        found = [*filter(None, map(read_record, lines[-(most - len(found)) :])), *found]
        if len(found) >= most:
            break
    return found


def read_record(line: bytes) -> Record | None:
    """A line's record; None for what is none."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None
