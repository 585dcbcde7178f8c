"""Makes a PNG small: the colours of a page are few, so a palette of 256 holds them."""

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST = 256

Pixels = NDArray[np.uint8]


def shrink(png: bytes) -> bytes:
    """The same picture (PNG, third edition), not interlaced, with a palette of 8 bits."""
    pixels = read(png)
    height, width, _ = pixels.shape
    palette, places = _palette(pixels[:, :, :3].reshape(-1, 3))
    rows = places.reshape(height, width)
    raw = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def read(png: bytes) -> Pixels:
    """Rows of pixels of three or four channels."""
    chunks = list(_chunks(png))
    width, height, _, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    channels = {2: 3, 6: 4}[kind]
    data = zlib.decompress(b"".join(content for name, content in chunks if name == b"IDAT"))
    rows = np.frombuffer(data, np.uint8).reshape(height, 1 + width * channels)
    pixels = np.zeros((height, width, channels), np.uint8)
    before = np.zeros((width, channels), np.uint8)
    for number, row in enumerate(rows):
        before = pixels[number] = _unfilter(int(row[0]), row[1:].reshape(width, channels), before)
    return pixels


def _unfilter(kind: int, row: Pixels, above: Pixels) -> Pixels:
    """One row (PNG third edition, 9.2)."""
    if kind == 0:
        return row
    if kind == 1:
        return np.cumsum(row, axis=0, dtype=np.uint8)
    if kind == 2:
        return row + above
    return _unpredict(kind, row.astype(int).tolist(), above.astype(int).tolist())


def _unpredict(kind: int, row: list[list[int]], above: list[list[int]]) -> Pixels:
    left, corner = [0] * len(row[0]), [0] * len(row[0])
    found = []
    for pixel, up in zip(row, above, strict=True):
        if kind == 3:
            left = [(x + (a + b) // 2) & 255 for x, a, b in zip(pixel, left, up, strict=True)]
        else:
            left = [(x + _paeth(a, b, c)) & 255 for x, a, b, c in zip(pixel, left, up, corner, strict=True)]
        corner = up
        found.append(left)
    return np.array(found, np.uint8)


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _palette(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """The colours that are there most often, and for each pixel the place of the one that is nearest."""
    found, places, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    kept = found[np.argsort(-counts)[:MOST]]
    distances = ((found[:, None, :].astype(int) - kept[None, :, :].astype(int)) ** 2).sum(axis=2)
    nearest: Pixels = distances.argmin(axis=1).astype(np.uint8)
    return kept, nearest[places.reshape(-1)]


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    found, place = [], len(SIGNATURE)
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        found.append((png[place + 4 : place + 8], png[place + 8 : place + 8 + size]))
        place += size + 12
    return found


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
