"""Reads the zip format: its central directory, and each entry's bytes while they are inflated."""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from functions.errors import PackageError

END = struct.Struct("<4s4H2LH")
CENTRAL = struct.Struct("<4s4B4H3L5H2L")
LOCAL = struct.Struct("<4s2B4H3L2H")
LONGEST_COMMENT = 0xFFFF
STORED, DEFLATED = 0, 8
ENCRYPTED = 0x1 | 0x40 | 0x2000
UTF8 = 0x800
CHUNK = 64 * 1024
LONGEST_RECORD = 4096
REPACK = "pack it again"


class CentralHeader(NamedTuple):
    """The fixed part of one central directory record (APPNOTE.TXT 4.3.12), field by field."""

    signature: bytes
    made_by: int
    made_on: int
    needs: int
    needs_system: int
    flags: int
    method: int
    time: int
    date: int
    crc: int
    packed: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    external: int
    offset: int


@dataclass(frozen=True)
class Entry:
    """One file or folder as the central directory describes it; sizes in bytes.

    `room` is how many bytes lie between its local header and what follows it in the archive.
    """

    name: str
    raw_name: bytes
    encrypted: bool
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int
    room: int


def read_directory(file: BinaryIO, most: int) -> list[Entry]:
    """The entries of a plain zip (no zip64, one volume, nothing before or after it), in its own order.

    At most `most` of them, counted before they are read. Raises PackageError.
    """
    count, size, start = _read_end(file)
    if count > most:
        raise PackageError(f"the zip has {count} entries; at most {most} are allowed (`limits.files`)")
    if size > count * LONGEST_RECORD:
        raise PackageError(f"the zip's directory is larger than its {count} entries need; {REPACK}")
    file.seek(start)
    directory = file.read(size)
    found: list[tuple[CentralHeader, bytes]] = []
    position = 0
    while position < size:
        header, raw_name, position = _read_central(directory, position)
        found.append((header, raw_name))
    if len(found) != count or position != size:
        raise PackageError(f"the zip's directory is damaged; {REPACK}")
    return _with_room(found, start)


def _read_end(file: BinaryIO) -> tuple[int, int, int]:
    """(number of entries, size of the directory, its offset); the end record must be the file's very end."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - END.size - LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + END.size <= len(tail):
            record = END.unpack_from(tail, at)
            if at + END.size + record[7] == len(tail):
                return _checked_end(record, length - len(tail) + at)
        at = tail.rfind(b"PK\x05\x06", 0, at)
    file.seek(0)
    if file.read(4) == b"PK\x03\x04":
        raise PackageError("the zip is truncated, or something follows its end; copy or pack it again")
    raise PackageError("this is not a zip archive; make one with `fnhost package DIR`")


def _checked_end(record: tuple[int, ...], position: int) -> tuple[int, int, int]:
    _, disk, first_disk, here, count, size, start, _ = record
    if 0xFFFF in (here, count) or 0xFFFFFFFF in (size, start):
        raise PackageError("the zip is in the zip64 format, which a package of this size never needs")
    if disk or first_disk or here != count:
        raise PackageError("the zip is split over several volumes; pack it as one file")
    if start + size != position:
        raise PackageError("the zip is damaged, or something precedes it; pack it again")
    return count, size, start


def _read_central(directory: bytes, position: int) -> tuple[CentralHeader, bytes, int]:
    try:
        header = CentralHeader(*CENTRAL.unpack_from(directory, position))
    except struct.error:
        raise PackageError(f"the zip's directory is truncated; {REPACK}") from None
    name_at = position + CENTRAL.size
    raw_name = directory[name_at : name_at + header.name_length]
    if header.signature != b"PK\x01\x02" or len(raw_name) != header.name_length:
        raise PackageError(f"the zip's directory is damaged; {REPACK}")
    return header, raw_name, name_at + header.name_length + header.extra_length + header.comment_length


def _with_room(found: list[tuple[CentralHeader, bytes]], end: int) -> list[Entry]:
    """Entries whose `room` ends where the next one begins, so that none can share another's bytes."""
    offsets = sorted(header.offset for header, _ in found)
    following = dict(pairwise([*offsets, end]))
    return [_entry(header, raw_name, following[header.offset]) for header, raw_name in found]


def _entry(header: CentralHeader, raw_name: bytes, following: int) -> Entry:
    name = decode_name(raw_name, bool(header.flags & UTF8))
    if 0xFFFFFFFF in (header.packed, header.size, header.offset):
        raise PackageError(f"{name!r} is in the zip64 format, which a package never needs", name)
    return Entry(
        name=name,
        raw_name=raw_name,
        encrypted=bool(header.flags & ENCRYPTED),
        method=header.method,
        crc=header.crc,
        packed=header.packed,
        size=header.size,
        mode=header.external >> 16,
        offset=header.offset,
        room=following - header.offset,
    )


def decode_name(raw: bytes, utf8: bool) -> str:
    """The name as its writer meant it: UTF-8 when it says so or is valid, else GBK, else code page 437.

    Old Windows zips hold Chinese names in GBK and have no flag that says so.
    """
    for encoding in ("utf-8",) if utf8 else ("utf-8", "gbk"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    if utf8:
        raise PackageError(f"the entry name {raw!r} is not the UTF-8 that it claims to be", repr(raw))
    return raw.decode("cp437")


def read_entry(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The entry's bytes in pieces of a few hundred KiB at most; its size and checksum are checked at the end.

    Raises PackageError naming the entry. Every piece is measured before the next one is inflated.
    """
    crc = size = 0
    for piece in _pieces(file, entry):
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        yield piece
    if size != entry.size or crc != entry.crc:
        raise _damaged(entry)


def _pieces(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    _seek_data(file, entry)
    if entry.method == STORED:
        return _stored(file, entry)
    if entry.method == DEFLATED:
        return _inflated(file, entry)
    raise PackageError(
        f"{entry.name!r} is packed by method {entry.method}; only deflate and stored are read", entry.name
    )


def _seek_data(file: BinaryIO, entry: Entry) -> None:
    """Step over the local header, which must name the same entry and leave room for its data."""
    file.seek(entry.offset)
    header = file.read(LOCAL.size)
    if len(header) != LOCAL.size or header[:4] != b"PK\x03\x04":
        raise _damaged(entry)
    name_length, extra_length = LOCAL.unpack(header)[-2:]
    if file.read(name_length) != entry.raw_name:
        raise PackageError(f"{entry.name!r} has another name at its data than in the directory", entry.name)
    if LOCAL.size + name_length + extra_length + entry.packed > entry.room:
        raise PackageError(f"{entry.name!r} overlaps another entry of the zip", entry.name)
    file.seek(extra_length, os.SEEK_CUR)


def _stored(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    left = entry.packed
    while piece := file.read(min(CHUNK, left)):
        left -= len(piece)
        yield piece


def _inflated(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = entry.packed
    packed = b""
    while not inflater.eof:
        if not packed:
            packed = file.read(min(CHUNK, left))
            left -= len(packed)
        try:
            piece = inflater.decompress(packed, 4 * CHUNK)
        except zlib.error:
            raise _damaged(entry) from None
        if not piece and not packed:
            raise _damaged(entry)
        packed = inflater.unconsumed_tail
        yield piece
    if left or packed or inflater.unused_data:
        raise _damaged(entry)


def _damaged(entry: Entry) -> PackageError:
    return PackageError(f"{entry.name!r} is damaged (its size or checksum is wrong); {REPACK}", entry.name)
