"""As much of MQTT 5 as the torture's own clients speak: packets to bytes, and bytes to packets."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CONNACK, PUBLISH, PUBACK = 0x20, 0x30, 0x40
SESSION_EXPIRY = 3600
RECEIVE_MAXIMUM = 1000
_REQUEST_ID = b"\x26\x00\x0arequest-id"


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: `kind` is the upper half of its first byte, `flags` the lower."""

    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A PUBLISH of QoS 1 as it was received. `request_id` is the user property of that name, or ""."""

    topic: str
    mid: int
    again: bool
    payload: bytes
    request_id: str


def connect(client_id: str) -> bytes:
    """CONNECT to a session that the broker keeps for an hour, without keepalive."""
    properties = struct.pack("!BIBH", 0x11, SESSION_EXPIRY, 0x21, RECEIVE_MAXIMUM)
    head = _text("MQTT") + struct.pack("!BBHB", 5, 0, 0, len(properties))
    return _packet(0x10, head + properties + _text(client_id))


def publish(topic: str, mid: int, payload: bytes, *, again: bool) -> bytes:
    """PUBLISH of QoS 1; `again` sets its DUP flag."""
    return _packet(0x3A if again else 0x32, _text(topic) + struct.pack("!HB", mid, 0) + payload)


def puback(mid: int) -> bytes:
    """PUBACK: success."""
    return struct.pack("!BBH", 0x40, 2, mid)


def subscribe(topic: str) -> bytes:
    """SUBSCRIBE with QoS 1."""
    return _packet(0x82, struct.pack("!HB", 1, 0) + _text(topic) + b"\x01")


def read_message(packet: Packet) -> Message:
    """What a PUBLISH says."""
    body = packet.body
    (length,) = struct.unpack_from("!H", body)
    (mid,) = struct.unpack_from("!H", body, 2 + length)
    size, start = _read_varint(body, 4 + length)
    properties = body[start : start + size]
    topic = body[2 : 2 + length].decode()
    return Message(topic, mid, bool(packet.flags & 8), body[start + size :], _request_id(properties))


class Splitter:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are complete with `data`."""
        self._rest += data
        at = 0
        while (end := self._end(at)) is not None:
            start, stop = end
            yield Packet(self._rest[at] & 0xF0, self._rest[at] & 0x0F, self._rest[start:stop])
            at = stop
        self._rest = self._rest[at:]

    def _end(self, at: int) -> tuple[int, int] | None:
        try:
            size, start = _read_varint(self._rest, at + 1)
        except IndexError:
            return None
        return (start, start + size) if start + size <= len(self._rest) else None


def _request_id(properties: bytes) -> str:
    at = properties.find(_REQUEST_ID)
    if at < 0:
        return ""
    at += len(_REQUEST_ID)
    (length,) = struct.unpack_from("!H", properties, at)
    return properties[at + 2 : at + 2 + length].decode()


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + _varint(len(body)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | 0x80 if number else digit)
        if not number:
            return bytes(out)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and where what follows begins; raises IndexError when it is not all there."""
    number = shift = 0
    while True:
        digit = data[at]
        at += 1
        number |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return number, at
