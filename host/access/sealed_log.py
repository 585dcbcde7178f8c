"""A file of records that is only appended to, each line sealing those before; its oldest parts go."""

import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

MOST_BYTES = 4 * 1024 * 1024
KEPT = 8
"""Full parts that are kept beside the one that is written."""
START = "0" * 64
LAST_TIME = 2.5e11
"""Seconds since the epoch of which a date can be made: in the year 9892."""
MOST_RECORDS = 1 << 53

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """The files `STEM.log`, `STEM.1.log` (the newest of the full parts) and so on."""

    folder: Path
    stem: str

    @property
    def file(self) -> Path:
        """What is written to."""
        return self.folder / f"{self.stem}.log"

    def part(self, number: int) -> Path:
        """A full part; 1 is the newest."""
        return self.folder / f"{self.stem}.{number}.log"

    def parts(self) -> list[Path]:
        """The files that there are, the oldest first."""
        files = [*(self.part(number) for number in range(KEPT, 0, -1)), self.file]
        return [file for file in files if file.exists()]


class SealedLog:
    """Appends to the file. A line survives the death of the host, and a power failure after some seconds."""

    def __init__(self, place: Place, clock: Callable[[], float], most_bytes: int = MOST_BYTES) -> None:
        self.place = place
        self._clock = clock
        self._most = most_bytes
        self._descriptor: int | None = None
        self._size = self._number = 0
        self._last = START

    def open(self) -> list[str]:
        """Go on after the last sound record; what was damaged behind it, in words. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self.place.file, flags, 0o600)
        content = self.place.file.read_bytes()
        self._size = content.rfind(b"\n") + 1
        damage = []
        if cut := len(content) - self._size:
            os.truncate(self._descriptor, self._size)
            damage.append(f"{cut} bytes of a cut line")
        newest, unread = self._find_newest()
        self._number, self._last = newest.get("n", 0), newest.get("hash", START)
        return [*damage, f"{unread} lines at the end that are no records"] if unread else damage

    def _find_newest(self) -> tuple[Record, int]:
        """The last sound record, empty without one; and how many lines behind it are none."""
        unread = 0
        for part in reversed(self.place.parts()):
            for line in reversed(part.read_bytes().splitlines()):
                if (record := read_record(line)) is not None:
                    return record, unread
                unread += 1
        return {}, unread

    def close(self) -> None:
        """Write no more."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def append(self, told: dict[str, str]) -> None:
        """Append a line; a disk that does not take it is logged, and the host goes on."""
        record: Record = {"n": self._number + 1, "ts": round(self._clock(), 3), **told, "prev": self._last}
        record["hash"] = own = seal(record)
        try:
            self._append(json.dumps(record).encode() + b"\n")
        except OSError as error:
            logger.error("the audit log cannot be written (%s): %s", error.strerror, told)
            return
        self._number, self._last = self._number + 1, own

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
        if self.place.file.exists():  # it does not where the last try got no further than here
            for number in range(KEPT - 1, 0, -1):
                if (part := self.place.part(number)).exists():
                    part.rename(self.place.part(number + 1))
            self.place.file.rename(self.place.part(1))
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        fresh = os.open(self.place.file, flags, 0o600)
        self.close()
        self._descriptor, self._size = fresh, 0


def seal(record: Record) -> str:
    """The hash of a record; of all that it says but its own hash."""
    told = {name: value for name, value in record.items() if name != "hash"}
    return sha256(json.dumps(told).encode()).hexdigest()


def newest_of(place: Place, most: int) -> list[Record]:
    """The newest `most` records, the oldest of them first; what is no record is left out. Raises OSError."""
    found: list[Record] = []
    if most <= 0:
        return found
    for part in reversed(place.parts()):
        lines = part.read_bytes().splitlines()
        found = [*filter(None, map(read_record, lines[-(most - len(found)) :])), *found]
        if len(found) >= most:
            break
    return found


def read_record(line: bytes) -> Record | None:
    """A line's record; None for what is none, or was never written by a log."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and _is_sound(record) else None


def _is_sound(record: Record) -> bool:
    number: Any = record.get("n")
    moment: Any = record.get("ts")
    rest = [record.get("prev"), record.get("hash"), *record.values()]
    return (
        type(number) is int
        and 0 < number < MOST_RECORDS
        and type(moment) in (int, float)
        and 0 <= moment < LAST_TIME
        and all(isinstance(value, str) or value in (number, moment) for value in rest)
    )
