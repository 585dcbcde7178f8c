"""The MQTT 5 properties of a result, packed here because paho's own way costs more than the publishing."""

import struct
from collections.abc import Iterable
from functools import lru_cache

from paho.mqtt.properties import Properties

from triggers.mqtt.packets import write_size

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
        return write_size(len(block)) + block


def pack(content_type: str, user: Iterable[tuple[str, str]], correlation: bytes | None) -> bytes:
    """The properties of a result, without their length."""
    parts = [_content_type(content_type)]
    if correlation is not None:
        parts += (bytes((CORRELATION_DATA,)), _binary(correlation))
    for key, value in user:
        parts += (_key(key), _binary(value.encode()))
    return b"".join(parts)


@lru_cache(256)
def _content_type(text: str) -> bytes:
    return bytes((CONTENT_TYPE,)) + _binary(text.encode()) if text.isprintable() else b""


@lru_cache(256)
def _key(text: str) -> bytes:
    return bytes((USER_PROPERTY,)) + _binary(text.encode())


def _binary(data: bytes) -> bytes:
    data = data[:65535]
    return _LENGTH.pack(len(data)) + data


_LENGTH = struct.Struct("!H")
