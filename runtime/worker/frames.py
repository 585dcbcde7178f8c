"""The wire between host and instance: length-prefixed frames of a small JSON head and a raw body.

A frame is three unsigned 32-bit big-endian lengths (head, metadata, body), the head as UTF-8 JSON (an
object), the event's metadata as UTF-8 JSON that is read only where a function asks for it, and the body as it
is. Neither side ever unpickles what the other sent.
"""

import json
import json.scanner
import struct
import sys
from typing import Any

LENGTHS = struct.Struct("!III")
MAX_HEAD = 1024 * 1024
STREAM_WINDOW = 256 * 1024
"""How many bytes of one event's pieces an instance may have sent that the host has not taken yet."""
PIECE_COST = 64
"""What a piece costs beside its bytes there: an empty one burdens the host, too."""

Head = dict[str, Any]
Frame = tuple[Head, bytes]

_pack = LENGTHS.pack
_dump = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_scan = json.scanner.make_scanner(json.JSONDecoder())  # type: ignore[arg-type]  # typeshed: its own kind


class FrameError(Exception):
    """What arrived is not a frame, or is larger than allowed."""


def encode(head: Head, body: bytes = b"") -> bytes:
    """One frame, ready to send."""
    return encode_text(_dump(head), b"", body)


def encode_text(head: str, metadata: bytes, body: bytes) -> bytes:
    """One frame whose head and metadata are JSON already."""
    return encode_bytes(head.encode("utf-8", "surrogatepass"), metadata, body)


def encode_bytes(head: bytes, metadata: bytes, body: bytes) -> bytes:
    """One frame whose head is UTF-8 already, too."""
    return b"".join((_pack(len(head), len(metadata), len(body)), head, metadata, body))


class Decoder:
    """Cuts a stream of bytes into frames; `max_body` is in bytes. Metadata stands in the head as `m`.

    `most` frames come of one feed; after so many, feed(b"") gives the next.
    """

    def __init__(self, max_body: int, most: int = sys.maxsize) -> None:
        self._max_body = max_body
        self._most = most
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
        while end - start >= LENGTHS.size and len(frames) < self._most:
            head_size, metadata_size, body_size = LENGTHS.unpack_from(data, start)
            if head_size + metadata_size > MAX_HEAD or body_size > self._max_body:
                size, most = head_size + metadata_size, f"{MAX_HEAD} + {self._max_body}"
                raise FrameError(f"a frame of {size} + {body_size} bytes is over the limit of {most}")
            metadata_start = start + LENGTHS.size + head_size
            body_start = metadata_start + metadata_size
            stop = body_start + body_size
            if stop > end:
                self._needed = stop - start
                break
            head = _read_head(data[start + LENGTHS.size : metadata_start])
            if metadata_size:
                head["m"] = data[metadata_start:body_start]
            frames.append((head, data[body_start:stop]))
            start = stop
        return frames, start


def _read_head(text: bytes) -> Head:
    try:
        decoded = text.decode("utf-8", "surrogatepass")
        head, end = _scan(decoded, 0)
    except (ValueError, RecursionError, StopIteration) as error:
        raise FrameError(f"a frame's head is not JSON: {error}") from None
    if not isinstance(head, dict) or end != len(decoded):
        raise FrameError("a frame's head is not one object")
    return head
