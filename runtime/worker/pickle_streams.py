"""Opens files with pickles in them: plain ones, compressed ones as joblib writes them, and torch's zips."""

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from .pickle_opcodes import PickleFaultError

STARTS = tuple(bytes([0x80, number]) for number in range(2, 6))
"""What pickles of the protocols 2 to 5 begin with."""
LONGEST_START = 6
ZIP = b"PK\x03\x04"
MOST_MEMBERS = 100
CHUNK = 64 * 1024
LZ4_BLOCK = 4 * 1024 * 1024
LZ4_WINDOW = 64 * 1024

Chunks = Iterator[bytes]


def _gzip(file: BinaryIO) -> BinaryIO:
    import gzip

    return cast(BinaryIO, gzip.GzipFile(fileobj=file))


def _bz2(file: BinaryIO) -> BinaryIO:
    import bz2

    return cast(BinaryIO, bz2.BZ2File(file))


def _lzma(file: BinaryIO) -> BinaryIO:
    import lzma

    return cast(BinaryIO, lzma.LZMAFile(file))


def _zlib(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, BufferedReader(_Inflating(_inflate(file))))


def _lz4(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, BufferedReader(_Inflating(_unpack_lz4(file))))


# What joblib's compressors begin with (`joblib.compressor`); zlib says its level in the second byte.
COMPRESSED: dict[bytes, Callable[[BinaryIO], BinaryIO]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bz2,
    b"\xfd7zXZ\x00": _lzma,
    b"\x5d\x00\x00": _lzma,
    b"\x04\x22\x4d\x18": _lz4,
    **{b"x" + level: _zlib for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")},
}


@contextmanager
def open_streams(path: Path) -> Iterator[Iterator[tuple[str, BinaryIO]]]:
    """The (name inside of a zip or "", what to read) for each place in the file where pickles may stand."""
    with path.open("rb") as file:
        start = file.peek(LONGEST_START)[:LONGEST_START]
        yield _members(file) if start.startswith(ZIP) else iter([("", _inflated(file, start))])


def starts_a_pickle(path: Path) -> bool:
    """Whether the file begins as a pickle does, unpacked where it is compressed; older ones do not tell."""
    try:
        with open_streams(path) as streams:
            return any(name or stream.read(2) in STARTS for name, stream in streams)
    except (OSError, EOFError, zlib.error, PickleFaultError):
        return False
    except Exception:  # noqa: BLE001 - each way to compress has errors of its own; the look into it tells this one
        return True


def _inflated(file: BufferedReader, start: bytes) -> BinaryIO:
    opener = next((found for magic, found in COMPRESSED.items() if start.startswith(magic)), None)
    return file if opener is None else cast(BinaryIO, BufferedReader(cast(RawIOBase, opener(file))))


def _members(file: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """The pickles of a zip, as `torch.save` makes them; those of another zip are not looked for."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
            for name in names[:MOST_MEMBERS]:
                with archive.open(name) as member:
                    yield name, cast(BinaryIO, BufferedReader(cast(RawIOBase, member)))
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
        raise PickleFaultError("is a zip that cannot be read") from None
    if len(names) > MOST_MEMBERS:
        raise PickleFaultError(f"is a zip of more than {MOST_MEMBERS} pickles; the others are not known")


class _Inflating(RawIOBase):
    """Chunks of bytes as a file to be read."""

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._left = b""

    def readable(self) -> bool:
        """It is there for that."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill what there is room for."""
        room = memoryview(buffer)
        while not self._left:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left = chunk
        taken, self._left = self._left[: len(room)], self._left[len(room) :]
        room[: len(taken)] = taken
        return len(taken)


def _inflate(file: IO[bytes]) -> Chunks:
    inflater = zlib.decompressobj()
    while not inflater.eof and (data := inflater.unconsumed_tail or file.read(CHUNK)):
        yield inflater.decompress(data, CHUNK)
    yield inflater.flush()


def _unpack_lz4(file: BinaryIO) -> Chunks:
    """The blocks of an LZ4 frame (lz4_Frame_format.md, v1.6.3); checksums are not compared."""
    head = file.read(7)
    flags = head[4] if len(head) == 7 else 0
    file.read(8 * bool(flags & 8) + 4 * bool(flags & 1))
    window = b""
    while size := int.from_bytes(file.read(4), "little"):
        plain, size = bool(size & 0x80000000), size & 0x7FFFFFFF
        if size > LZ4_BLOCK:
            raise PickleFaultError("is compressed with LZ4, and broken")
        data = file.read(size)
        file.read(4 * bool(flags & 16))
        block = data if plain else _unpack_block(data, window)
        window = (window + block)[-LZ4_WINDOW:]
        yield block


def _unpack_block(data: bytes, window: bytes) -> bytes:
    """One compressed block (lz4_Block_format.md): runs of literal bytes, each followed by a copy."""
    out, at = bytearray(window), 0
    try:
        while at < len(data) and len(out) <= LZ4_BLOCK + len(window):
            token, at = data[at], at + 1
            count, at = _length(data, at, token >> 4)
            out += data[at : at + count]
            at += count
            if at >= len(data):
                break
            back, at = int.from_bytes(data[at : at + 2], "little"), at + 2
            count, at = _length(data, at, token & 15)
            _copy(out, back, count + 4)
    except IndexError:
        raise PickleFaultError("is compressed with LZ4, and broken") from None
    return bytes(out[len(window) :])


def _length(data: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while True:
            more, at = data[at], at + 1
            length += more
            if more != 255:
                break
    return length, at


def _copy(out: bytearray, back: int, count: int) -> None:
    """A copy may overlap what it makes."""
    if not 0 < back <= len(out) or count > LZ4_BLOCK:
        raise IndexError
    while count > 0:
        piece = out[-back:][:count]
        out += piece
        count -= len(piece)
