"""The MQTT 5 properties of events and results; paho's own way with them costs more than all the rest."""

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache

from paho.mqtt.properties import Properties

from triggers.mqtt.varint import read_varint, write_varint

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
        return write_varint(len(block)) + block


class Unpacked(Properties):
    """The properties of a received PUBLISH, under paho's names; those that were not said are not there."""

    def __init__(self, told: dict[str, object]) -> None:
        vars(self).update(told)

    @classmethod
    def read(cls, content: bytes, start: int) -> "tuple[Unpacked, int]":
        """The properties whose length stands at `start`, and where they end.

        Raises ValueError, IndexError or KeyError when they are none.
        """
        size, start = read_varint(content, start)
        end = start + size
        told: dict[str, object] = {}
        users: list[tuple[str, str]] = []
        while start < end:
            if content[start] == USER_PROPERTY:
                key, start = _read_text(content, start + 1)
                value, start = _read_text(content, start)
                users.append((key, value))
            else:
                name, read = _READ[content[start]]
                told[name], start = read(content, start + 1)
        if start != end:
            raise ValueError("the properties of a message are longer than it says")
        if users:
            told["UserProperty"] = users
        return cls(told), end


def _read_binary(content: bytes, start: int) -> tuple[bytes, int]:
    end = start + 2 + (content[start] << 8 | content[start + 1])
    return content[start + 2 : end], end


def _read_text(content: bytes, start: int) -> tuple[str, int]:
    end = start + 2 + (content[start] << 8 | content[start + 1])
    # Refused, a message would come again and again; its broker should not have taken it.
    return content[start + 2 : end].decode(errors="replace"), end


def _read_number(size: int) -> Callable[[bytes, int], tuple[int, int]]:
    return lambda content, start: (int.from_bytes(content[start : start + size]), start + size)


_READ: dict[int, tuple[str, Callable[[bytes, int], tuple[object, int]]]] = {
    0x01: ("PayloadFormatIndicator", _read_number(1)),
    0x02: ("MessageExpiryInterval", _read_number(4)),
    CONTENT_TYPE: ("ContentType", _read_text),
    0x08: ("ResponseTopic", _read_text),
    CORRELATION_DATA: ("CorrelationData", _read_binary),
    0x0B: ("SubscriptionIdentifier", read_varint),
    0x23: ("TopicAlias", _read_number(2)),
}
"""What a PUBLISH may say besides user properties (MQTT 5 §3.3.2.3), by its identifier."""


def pack(content_type: str, user: Iterable[tuple[str, str]], correlation: bytes | None) -> bytes:
    """The properties of a result, without their length; an empty content type is not said."""
    parts = [_content_type(content_type)]
    if correlation is not None:
        parts += (bytes((CORRELATION_DATA,)), _binary(correlation))
    for key, value in user:
        parts += (_key(key), _binary(value.encode()))
    return b"".join(parts)


@lru_cache(256)
def _content_type(text: str) -> bytes:
    return bytes((CONTENT_TYPE,)) + _binary(text.encode()) if text and text.isprintable() else b""


@lru_cache(256)
def _key(text: str) -> bytes:
    return bytes((USER_PROPERTY,)) + _binary(text.encode())


def _binary(data: bytes) -> bytes:
    data = data[:65535]
    return _LENGTH.pack(len(data)) + data


_LENGTH = struct.Struct("!H")
