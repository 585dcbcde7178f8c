"""The wire between host and instance: length-prefixed frames of a small JSON head and a raw body.

A frame is two unsigned 32-bit big-endian lengths (head, body), the head as UTF-8 JSON (an object) and the
body as it is. Neither side ever unpickles what the other sent.
"""

import json
import struct
from typing import Any

LENGTHS = struct.Struct("!II")
MAX_HEAD = 1024 * 1024

Head = dict[str, Any]
Frame = tuple[Head, bytes]

_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class FrameError(Exception):
    """What arrived is not a frame, or is larger than allowed."""


def encode(head: Head, body: bytes = b"") -> bytes:
    """One frame, ready to send."""
    text = _dump(head).encode("utf-8", "surrogatepass")
    return b"%b%b%b" % (LENGTHS.pack(len(text), len(body)), text, body)


class Decoder:
    """Cuts a stream of bytes into frames; `max_body` is in bytes."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._rest = bytearray()
        self._needed = LENGTHS.size

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole by now; raises FrameError when the stream is not ours to read."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest = bytearray()
        frames, used = self._cut(data)
        if used < len(data):
            self._rest += memoryview(data)[used:]
        return frames

    def _cut(self, data: bytes) -> tuple[list[Frame], int]:
        frames: list[Frame] = []
        start, end = 0, len(data)
        self._needed = LENGTHS.size
        while end - start >= LENGTHS.size:
            head_size, body_size = LENGTHS.unpack_from(data, start)
            self._check(head_size, body_size)
            body_start = start + LENGTHS.size + head_size
            stop = body_start + body_size
            if stop > end:
                self._needed = stop - start
                break
            frames.append((_read_head(data[start + LENGTHS.size : body_start]), data[body_start:stop]))
            start = stop
        return frames, start

    def _check(self, head_size: int, body_size: int) -> None:
        if head_size > MAX_HEAD or body_size > self._max_body:
            raise FrameError(f"a frame of {head_size} + {body_size} bytes is over the limit")


def _read_head(text: bytes) -> Head:
    try:
        head = json.loads(text.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a frame's head is not JSON: {error}") from None
    if not isinstance(head, dict):
        raise FrameError("a frame's head is not an object")
    return head
