"""Records on disk in the order of their writing: small files, of which the oldest are given up."""

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

logger = logging.getLogger(__name__)

RECORDS_OF_FILE = 60
HEAD = struct.Struct("<III")
"""Of a record: how many bytes follow, their CRC-32, and of how many seconds they are."""
LARGEST = 64 * 1024 * 1024
MOST_BYTES = 16 * 1024 * 1024
SUFFIX, ASIDE = ".rows", ".damaged"


@dataclass(slots=True)
class Extent:
    """How much a file has: so many `records`, of so many `seconds` together."""

    records: int = 0
    seconds: int = 0

    def note(self, seconds: int) -> None:
        """One more record."""
        self.records += 1
        self.seconds += seconds


class Journal:
    """Keeps records of the last `span` seconds in `folder`, or a file's worth more, and no more than 16 MiB.

    A power cut may take the last of them: nothing is synced, for nothing is promised. For one thread at a
    time; `append` raises OSError.
    """

    def __init__(self, folder: Path, span: int) -> None:
        self.folder = folder
        self._span = span
        self._extents: dict[int, Extent] = {}
        """By the number of a file, oldest first."""

    def read(self) -> Iterator[bytes]:
        """What was appended, oldest first; a file that is damaged is put aside, and said."""
        for number in self._numbers():
            file = self._file(number)
            try:
                yield from self._read_file(number, file)
            except (OSError, ValueError) as error:
                logger.warning(
                    "some history is lost: %s is damaged (%s), set aside as *%s, and may be deleted",
                    *(file, error, ASIDE),
                )
                self._put_aside(number)

    def _numbers(self) -> list[int]:
        if not self.folder.is_dir():
            return []
        return sorted(int(each.stem) for each in self.folder.glob(f"*{SUFFIX}") if each.stem.isdecimal())

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:08}{SUFFIX}"

    def _read_file(self, number: int, file: Path) -> Iterator[bytes]:
        if file.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        content, place = file.read_bytes(), 0
        self._extents[number] = extent = Extent()
        while place + HEAD.size <= len(content):
            size, checksum, seconds = HEAD.unpack_from(content, place)
            record = content[place + HEAD.size : place + HEAD.size + size]
            # A power cut leaves zeros where a file had grown, and nothing was written yet.
            if not size or len(record) < size:
                break
            if zlib.crc32(record, seconds) != checksum:
                raise ValueError(f"at byte {place}")
            place += HEAD.size + size
            extent.note(seconds)
            yield record
        if place < len(content):
            # The host ended while it wrote the last one.
            os.truncate(file, place)

    def set_aside(self) -> None:
        """Begin anew: what is there may be looked at, and deleted."""
        self._put_aside(*self._numbers())

    def _put_aside(self, *numbers: int) -> None:
        for old in self.folder.glob(f"*{ASIDE}"):
            old.unlink()
        for number in numbers:
            self._extents.pop(number, None)
            file = self._file(number)
            file.rename(file.with_suffix(ASIDE))

    def append(self, record: bytes, seconds: int) -> None:
        """Write one more, that has what came in so many seconds."""
        for folder in (self.folder.parent, self.folder):  # the mode is that of the last one only
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = max(self._extents, default=0)
        if not number or self._extents[number].records >= RECORDS_OF_FILE:
            # Where nothing was read, there may be files all the same.
            number = max([number, *self._numbers()]) + 1
        file = self._file(number)
        # Names of functions are nobody else's business.
        with open(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab"
        ) as opened:
            before = opened.tell()
            try:
                opened.write(HEAD.pack(len(record), zlib.crc32(record, seconds), seconds) + record)
                opened.flush()
            except OSError:
                os.truncate(file, before)
                if not before:
                    file.unlink()
                raise
        self._extents.setdefault(number, Extent()).note(seconds)
        self._prune()

    def _prune(self) -> None:
        sizes = {number: self._file(number).stat().st_size for number in self._extents}
        for number in list(self._extents)[:-1]:
            others = sum(each.seconds for each in self._extents.values()) - self._extents[number].seconds
            if others < self._span and sum(sizes.values()) <= MOST_BYTES:
                return
            self._file(number).unlink(missing_ok=True)
            del self._extents[number], sizes[number]
