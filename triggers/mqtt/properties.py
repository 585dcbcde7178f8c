"""The MQTT 5 properties of a result, packed here because paho's own way costs more than the publishing."""

import struct
from collections.abc import Iterable

from paho.mqtt.properties import Properties

CONTENT_TYPE = 0x03
CORRELATION_DATA = 0x09
USER_PROPERTY = 0x26


class Packed(Properties):
    """Properties of one PUBLISH that are bytes already; paho only ever asks for those."""

    def __init__(self, block: bytes) -> None:
        # Not super().__init__(): it builds the table of all properties anew, for each message.
        object.__setattr__(self, "block", block)

    def pack(self) -> bytes:
        """The property length and the properties (MQTT 5 §2.2.2)."""
        block: bytes = object.__getattribute__(self, "block")
        return _varint(len(block)) + block


def pack(content_type: str, user: Iterable[tuple[str, str]], correlation: bytes | None) -> bytes:
    """The properties of a result, without their length."""
    parts = [bytes((CONTENT_TYPE,)), _binary(content_type.encode())] if content_type.isprintable() else []
    if correlation is not None:
        parts += (bytes((CORRELATION_DATA,)), _binary(correlation))
    for key, value in user:
        parts += (bytes((USER_PROPERTY,)), _binary(key.encode()), _binary(value.encode()))
    return b"".join(parts)


def _binary(data: bytes) -> bytes:
    data = data[:65535]
    return struct.pack("!H", len(data)) + data


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        number, digit = divmod(number, 128)
        out.append(digit | 0x80 if number else digit)
        if not number:
            return bytes(out)
