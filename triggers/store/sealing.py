"""The checksum of each row: what a damaged disk has changed is told from what was written."""

import struct
from hashlib import blake2b

from triggers.store.rows import Source

SIZE = 8
FORGOTTEN = blake2b(b"this event was acknowledged", digest_size=SIZE).digest()
"""What stands in the place of a source that is None: one value for all rows, so one statement sets many."""

_SEQ = struct.Struct(">q")
_SOURCE = struct.Struct(">IB")


class DamagedRowError(Exception):
    """What stands in a row is not what was written."""


def seal(table: str, plain: tuple[object, ...], blobs: tuple[bytes | None, ...] = ()) -> bytes:
    """The checksum (BLAKE2b, 8 bytes) of a row of `table` with these columns."""
    lengths = [None if blob is None else len(blob) for blob in blobs]
    # ascii() and not repr(): what repr() escapes depends on the Unicode tables of this Python.
    digest = blake2b(ascii((table, plain, lengths)).encode("ascii"), digest_size=SIZE)
    for blob in blobs:
        if blob:
            digest.update(blob)
    return digest.digest()


def check(table: str, plain: tuple[object, ...], blobs: tuple[object, ...], found: object) -> None:
    """Raise DamagedRowError unless `found` is the checksum of these columns, as read from the disk."""
    told = tuple(blob for blob in blobs if blob is None or isinstance(blob, bytes))
    if len(told) < len(blobs) or seal(table, plain, told) != found:
        raise DamagedRowError(f"a row of {table} does not fit its checksum")


def pack_source(seq: int, source: Source | None) -> bytes:
    """A source with a checksum of its own, so that it can be forgotten without writing the row anew."""
    if source is None:
        return FORGOTTEN
    body = _SOURCE.pack(source.mid, len(source.digest)) + source.digest
    body += source.session.encode("utf-8", "backslashreplace")
    return _source_seal(seq, body) + body


def unpack_source(seq: int, packed: object) -> Source | None:
    """What was packed for the row `seq`; raises DamagedRowError when that is not what is there."""
    if packed == FORGOTTEN:
        return None
    if not isinstance(packed, bytes) or _source_seal(seq, packed[SIZE:]) != packed[:SIZE]:
        raise DamagedRowError(f"the source of row {seq} does not fit its checksum")
    mid, length = _SOURCE.unpack_from(packed, SIZE)
    start = SIZE + _SOURCE.size
    return Source(packed[start + length :].decode(), mid, packed[start : start + length])


def _source_seal(seq: int, body: bytes) -> bytes:
    return blake2b(_SEQ.pack(seq) + body, digest_size=SIZE).digest()
