"""Records on disk in the order of their writing: small files, of which the oldest are given up."""

import logging
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

RECORDS_OF_FILE = 60
HEAD = struct.Struct("<II")
"""Of a record: how many bytes follow, and their CRC-32."""
LARGEST = 64 * 1024 * 1024
MOST_BYTES = 16 * 1024 * 1024
SUFFIX, ASIDE = ".rows", ".damaged"


class Journal:
    """Keeps the last `most` records of `folder`, or a file's worth more, and no more than 16 MiB.

    A power cut may take the last of them: nothing is synced, for nothing is promised. For one thread at a
    time; `append` raises OSError.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most
        self._counts: dict[int, int] = {}
        """Records by the number of their file, oldest first."""

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
        if not self._folder.is_dir():
            return []
        return sorted(int(each.stem) for each in self._folder.glob(f"*{SUFFIX}") if each.stem.isdecimal())

    def _file(self, number: int) -> Path:
        return self._folder / f"{number:08}{SUFFIX}"

    def _read_file(self, number: int, file: Path) -> Iterator[bytes]:
        if file.stat().st_size > LARGEST:
            raise ValueError("it is too large")
        content, place = file.read_bytes(), 0
        while place + HEAD.size <= len(content):
            size, checksum = HEAD.unpack_from(content, place)
            record = content[place + HEAD.size : place + HEAD.size + size]
            if len(record) < size:
                break
            if zlib.crc32(record) != checksum:
                raise ValueError(f"at byte {place}")
            place += HEAD.size + size
            self._counts[number] = self._counts.get(number, 0) + 1
            yield record
        if place < len(content):
            # The host ended while it wrote the last one.
            os.truncate(file, place)

    def _put_aside(self, number: int) -> None:
        self._counts.pop(number, None)
        for old in self._folder.glob(f"*{ASIDE}"):
            old.unlink()
        file = self._file(number)
        file.rename(file.with_suffix(ASIDE))

    def append(self, record: bytes) -> None:
        """Write one more."""
        for folder in (self._folder.parent, self._folder):  # the mode is that of the last one only
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = max(self._counts, default=0)
        if not number or self._counts[number] >= RECORDS_OF_FILE:
            number += 1
        file = self._file(number)
        # Names of functions are nobody else's business.
        with open(
            os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab"
        ) as opened:
            before = opened.tell()
            try:
                opened.write(HEAD.pack(len(record), zlib.crc32(record)) + record)
                opened.flush()
            except OSError:
                os.truncate(file, before)
                raise
        self._counts[number] = self._counts.get(number, 0) + 1
        self._prune()

    def _prune(self) -> None:
        sizes = {number: self._file(number).stat().st_size for number in self._counts}
        for number in list(self._counts)[:-1]:
            others = sum(self._counts.values()) - self._counts[number]
            if others < self._most and sum(sizes.values()) <= MOST_BYTES:
                return
            self._file(number).unlink(missing_ok=True)
            del self._counts[number], sizes[number]
