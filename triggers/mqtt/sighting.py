"""A message as it passed: noted in a moment, told at length when somebody asks."""

from typing import Literal, NamedTuple

from triggers.mqtt.packets import Message
from triggers.mqtt.properties import Unpacked

ROOM, WATCHED_ROOM = 1024, 16 * 1024
"""Bytes that are kept of the last payload of each topic, and of each one where somebody looks."""
LONGEST_HEAD = 4096
"""Bytes of properties, beyond which they are not kept."""

Way = Literal["in", "out", "heard"]
"""Received for a rule, published by the host, or heard because somebody listens."""
Parts = tuple[bytes, tuple[int, bool], tuple[int, bytes]]
"""What is published: payload, flags (QoS, retain), and head (message id, properties)."""
Noted = tuple[float, str, Way, Message | Parts, int | None]
"""When (seconds since the epoch), by which client id, what; and the payload's size, None if it is whole."""


class Sighting(NamedTuple):
    """A message as people are told of it: `number` counts those of its topic.

    `at` is in seconds since the epoch; `flags` are QoS, retain and dup. `payload` is the beginning of `size`
    bytes. `properties` are those of MQTT 5 by paho's names.
    """

    number: int
    at: float
    client_id: str
    way: Way
    flags: tuple[int, bool, bool]
    mid: int
    size: int
    payload: bytes
    properties: dict[str, object]


def tell(number: int, noted: Noted) -> Sighting:
    """The message that was noted as the `number`th of its topic."""
    at, client_id, way, what, size = noted
    if isinstance(what, Message):
        payload, flags, mid = bytes(what.payload), (what.qos, what.retain, what.dup), what.mid
        properties = vars(what.properties) if what.properties is not None else {}
    else:
        payload, (qos, retain), (sent_as, packed) = what
        flags, mid = (qos, retain, False), sent_as if qos else 0
        properties = vars(Unpacked.read(packed, 0)[0]) if packed else {}
    whole = len(payload) if size is None else size
    return Sighting(number, at, client_id, way, flags, mid, whole, payload, properties)


def shorten(what: Message | Parts, room: int, packet: int = 0) -> tuple[Message | Parts, int]:
    """With `room` bytes of its payload and no endless properties; and the size of the whole payload.

    `packet` is the size of what a message came in.
    """
    if isinstance(what, Message):
        size = len(what.payload)
        properties = what.properties if packet - size <= LONGEST_HEAD else None
        first = what.qos << 1 | what.dup << 3 | what.retain
        return Message((first, what.mid, what.name), properties, bytes(what.payload[:room])), size
    payload, flags, (mid, packed) = what
    return (payload[:room], flags, (mid, packed if len(packed) <= LONGEST_HEAD else b"")), len(payload)
