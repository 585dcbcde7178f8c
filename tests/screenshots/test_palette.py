"""Pictures become small, and stay what they are."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest

from tests.screenshots.palette import SIGNATURE, Pixels, read, shrink

WIDTH, HEIGHT = 7, 5


def colours(channels: int) -> Pixels:
    few = np.random.default_rng(7).integers(0, 256, (6, channels), dtype=np.uint8)
    return few[np.random.default_rng(8).integers(0, 6, (HEIGHT, WIDTH))]


def predicted(kind: int, pixels: Pixels, row: int, place: int) -> Any:
    none = np.zeros(pixels.shape[2], int)
    left = pixels[row, place - 1].astype(int) if place else none
    up = pixels[row - 1, place].astype(int) if row else none
    corner = pixels[row - 1, place - 1].astype(int) if row and place else none
    distances = np.abs((left + up - corner) - np.stack([left, up, corner]))
    paeth = np.choose(distances.argmin(axis=0), [left, up, corner])
    return [none, left, up, (left + up) // 2, paeth][kind]


def picture(pixels: Pixels) -> bytes:
    """A PNG whose rows are filtered in each of the five ways."""
    rows = b""
    for row in range(HEIGHT):
        filtered = [(pixels[row, place] - predicted(row, pixels, row, place)) % 256 for place in range(WIDTH)]
        rows += bytes([row]) + np.array(filtered, np.uint8).tobytes()
    kind = {3: 2, 4: 6}[pixels.shape[2]]
    told = [
        (b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
    ]
    return SIGNATURE + b"".join(struct.pack(">I", len(each)) + name + each + bytes(4) for name, each in told)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_is_read_whatever_its_rows_are_filtered_by(channels: int) -> None:
    pixels = colours(channels)
    assert np.array_equal(read(picture(pixels)), pixels)


def test_a_picture_of_few_colours_keeps_each_of_them() -> None:
    pixels = colours(3)
    small = shrink(picture(pixels))
    palette = small[small.index(b"PLTE") + 4 : small.index(b"IDAT") - 8]
    start = small.index(b"IDAT")
    (size,) = struct.unpack(">I", small[start - 4 : start])
    rows = np.frombuffer(zlib.decompress(small[start + 4 : start + 4 + size]), np.uint8)
    places = rows.reshape(HEIGHT, WIDTH + 1)[:, 1:]
    assert np.array_equal(np.frombuffer(palette, np.uint8).reshape(-1, 3)[places], pixels)
