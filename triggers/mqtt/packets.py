"""The packets of MQTT that are paid per event, cut, read and written by hand: paho takes far longer."""

import struct
from functools import lru_cache

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from conf.topics import check_topic
from triggers.mqtt.properties import Unpacked
from triggers.mqtt.varint import read_varint, write_varint

PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 3, 4, 5, 6, 7
Packet = tuple[int, bytes]
"""Its first byte (type and flags), and what comes after its length."""


class Message(MQTTMessage):
    """A received PUBLISH as paho would tell it."""

    __slots__ = ("name",)

    def __init__(self, head: tuple[int, int, bytes], properties: Properties | None, payload: bytes) -> None:
        # Not super().__init__(): it makes a condition variable for each message.
        first, self.mid, self.name = head
        self.payload = payload
        self.qos = first >> 1 & 3
        self.dup = bool(first & 8)
        self.retain = bool(first & 1)
        self.properties = properties

    @property  # type: ignore[misc]
    def topic(self) -> str:
        """The topic's name; raises UnicodeDecodeError when it is not UTF-8."""
        return self.name.decode()


class Cutter:
    """Cuts a stream of bytes into packets."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed = 2

    def feed(self, data: bytes) -> list[Packet]:
        """The packets that are whole by now; raises ValueError when a length is none."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest = bytearray()
        packets, used = self._cut(data)
        if used < len(data):
            self._rest += memoryview(data)[used:]
        return packets

    def _cut(self, data: bytes) -> tuple[list[Packet], int]:
        packets: list[Packet] = []
        at, end = 0, len(data)
        self._needed = 2
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size & 128:
                try:
                    size, start = read_varint(data, at + 1)
                except IndexError:
                    self._needed = end - at + 1
                    break
            if start + size > end:
                self._needed = start + size - at
                break
            packets.append((data[at], data[start : start + size]))
            at = start + size
        return packets, at


def read_publish(packet: Packet, version_5: bool) -> Message | None:
    """A message of QoS 0 or 1; None when it is of QoS 2. Raises ValueError, IndexError or KeyError."""
    first, content = packet
    if first & 6 > 2:
        return None
    start = 2 + (content[0] << 8 | content[1])
    name = content[2:start]
    mid = 0
    if first & 6:
        mid = content[start] << 8 | content[start + 1]
        start += 2
    properties = None
    if version_5:
        if content[start]:
            properties, start = Unpacked.read(content, start)
        else:
            start += 1
    if start > len(content):
        raise ValueError("a PUBLISH ends within its head")
    return Message((first, mid, name), properties, content[start:])


def read_confirmation(packet: Packet) -> tuple[int, ReasonCode]:
    """The message id and the reason of a PUBACK, PUBREC or PUBCOMP. Raises KeyError or IndexError."""
    first, content = packet
    mid = content[0] << 8 | content[1]
    return mid, _reason(first >> 4, content[2] if len(content) > 2 else 0)


@lru_cache(256)
def _reason(kind: int, code: int) -> ReasonCode:
    return ReasonCode(_PACKET_TYPES[kind], identifier=code)


_PACKET_TYPES = {PUBACK: PacketTypes.PUBACK, PUBREC: PacketTypes.PUBREC, PUBCOMP: PacketTypes.PUBCOMP}


def write_publish(topic: str, payload: bytes, flags: tuple[int, bool], head: tuple[int, bytes]) -> bytes:
    """A PUBLISH with `flags` (QoS, retain) and `head` (message id, properties with their length, if any).

    Raises ValueError when nothing can be published to `topic`, or the packet is too large.
    """
    qos, retain = flags
    mid, properties = head
    first = 0x30 | qos << 1 | retain
    named = _name(topic)
    return write_packet(first, b"%b%b%b%b" % (named, _MID.pack(mid) if qos else b"", properties, payload))


def write_short(kind: int, mid: int) -> bytes:
    """A PUBACK, or a PUBREL, whose flags are prescribed (MQTT 5 §3.6.1)."""
    return _SHORT.pack(kind << 4 | (kind == PUBREL) << 1, 2, mid)


def write_packet(first: int, content: bytes) -> bytes:
    """A packet with its length."""
    return b"%c%b%b" % (first, write_varint(len(content)), content)


_MID = struct.Struct("!H")
_SHORT = struct.Struct("!BBH")


@lru_cache(1024)
def _name(topic: str) -> bytes:
    name = check_topic(topic).encode()
    return _MID.pack(len(name)) + name
