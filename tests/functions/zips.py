"""Makes zips for the tests, good ones and bad ones, field by field where zipfile would refuse."""

import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path


def make_zip(path: Path, files: dict[str, str | bytes]) -> Path:
    """An ordinary zip of `files` (name -> contents)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in files.items():
            archive.writestr(name, contents)
    return path


@dataclass(frozen=True)
class RawEntry:
    """One entry with exactly these fields; `packed` and the rest follow from `data` unless given."""

    name: bytes
    data: bytes = b"pass\n"
    mode: int = stat.S_IFREG | 0o644
    flags: int = 0
    method: int = 8
    size: int | None = None
    crc: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    local_name: bytes | None = None

    def stream(self) -> bytes:
        """The bytes as they lie in the archive."""
        if self.packed is not None:
            return self.packed
        if self.method == 0:
            return self.data
        deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflater.compress(self.data) + deflater.flush()

    def figures(self) -> tuple[int, int, int]:
        """(crc, packed size, size) as the headers say them."""
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed_size = len(self.stream()) if self.packed_size is None else self.packed_size
        return crc, packed_size, len(self.data) if self.size is None else self.size


def raw_zip(path: Path, *entries: RawEntry, comment: bytes = b"") -> Path:
    """A zip that says what `entries` say, true or not."""
    body, directory = b"", b""
    for entry in entries:
        name = entry.name if entry.local_name is None else entry.local_name
        fields = (20, entry.flags, entry.method, 0, 0x21, *entry.figures())
        central = struct.pack(
            "<4s2B5H3L5H2L",
            b"PK\x01\x02",
            20,
            3,
            *fields,
            len(entry.name),
            *(0,) * 4,
            entry.mode << 16,
            len(body),
        )
        directory += central + entry.name
        body += struct.pack("<4s5H3L2H", b"PK\x03\x04", *fields, len(name), 0) + name + entry.stream()
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(directory), len(body), len(comment)
    )
    path.write_bytes(body + directory + end + comment)
    return path
