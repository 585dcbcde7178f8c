"""Packets of our own making are what paho would have made, and say what it would have read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from triggers.mqtt.packets import (
    PUBACK,
    PUBREC,
    PUBREL,
    Cutter,
    Message,
    read_confirmation,
    read_publish,
    write_packet,
    write_publish,
    write_short,
)
from triggers.mqtt.properties import Packed, pack

VERSIONS = {True: MQTTProtocolVersion.MQTTv5, False: MQTTProtocolVersion.MQTTv311}


class Broker:
    """A socket for paho: what it writes, and what it is to read."""

    def __init__(self, version_5: bool) -> None:
        self.written = b""
        self.heard: list[Message] = []
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=VERSIONS[version_5], manual_ack=True)
        self.client.on_message = lambda _c, _u, message: self.heard.append(message)  # type: ignore[arg-type]
        self.client._sock = self
        self._unread = b""

    def read(self, data: bytes) -> Message:
        self._unread = data
        self.client.loop_read()
        return self.heard.pop()

    def recv(self, buffer_size: int) -> bytes:
        taken, self._unread = self._unread[:buffer_size], self._unread[buffer_size:]
        return taken

    def send(self, buffer: bytes | bytearray) -> int:
        self.written += buffer
        return len(buffer)

    def close(self) -> None:
        """Nothing is open."""

    def fileno(self) -> int:
        return -1

    def setblocking(self, flag: bool) -> None:
        """It never blocks."""


names = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=40)


@given(names, st.binary(max_size=300), st.integers(0, 2), st.booleans(), st.booleans())
def test_a_publish_is_what_paho_writes(
    topic: str, payload: bytes, qos: int, retain: bool, version_5: bool
) -> None:
    broker = Broker(version_5)
    properties = Packed(pack("text/plain", (("a", "b"),), None)) if version_5 else None
    mid = broker.client.publish(topic, payload, qos, retain, properties).mid
    packed = properties.pack() if properties is not None else b""
    assert write_publish(topic, payload, (qos, retain), (mid, packed)) == broker.written


@given(names, st.binary(max_size=300), st.integers(0, 1), st.booleans(), st.booleans())
def test_a_message_is_what_paho_reads(
    topic: str, payload: bytes, qos: int, dup: bool, version_5: bool
) -> None:
    written = bytearray(write_publish(topic, payload, (qos, True), (7, b"\0" if version_5 else b"")))
    written[0] |= 8 * dup
    (packet,) = Cutter().feed(bytes(written))
    ours, theirs = read_publish(packet, version_5), Broker(version_5).read(bytes(written))
    assert ours is not None
    assert (ours.topic, ours.payload, ours.mid) == (theirs.topic, theirs.payload, theirs.mid)
    assert (ours.qos, ours.dup, ours.retain) == (theirs.qos, theirs.dup, theirs.retain)


@given(st.lists(st.binary(max_size=400), max_size=8), st.data())
def test_a_stream_is_cut_into_its_packets_wherever_it_is_torn(
    contents: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(write_packet(0x30, content) for content in contents)
    tears = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    cutter, packets = Cutter(), []
    for start, stop in zip([0, *tears], [*tears, len(stream)], strict=True):
        packets += cutter.feed(stream[start:stop])
    assert packets == [(0x30, content) for content in contents]


@pytest.mark.parametrize("size", [127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_lengths_of_every_width_are_read_as_written(size: int) -> None:
    (packet,) = Cutter().feed(write_packet(0x30, bytes(size)))
    assert len(packet[1]) == size


def test_a_length_of_five_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="more than four bytes"):
        Cutter().feed(b"\x30\xff\xff\xff\xff\x01")


@pytest.mark.parametrize("content", [b"", b"\0", b"\0\2a", b"\0\1a", b"\0\1a\0", b"\0\1a\0\1"])
def test_a_publish_that_ends_within_its_head_is_refused(content: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        read_publish((0x32, content), True)


def test_a_message_of_qos_2_is_left_to_paho() -> None:
    assert read_publish((0x34, b"\0\1a\0\1\0{}"), True) is None


texts = st.text(st.characters(categories=("L", "N")), max_size=200)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "PayloadFormatIndicator": st.integers(0, 1),
            "MessageExpiryInterval": st.integers(0, 2**32 - 1),
            "ContentType": texts,
            "ResponseTopic": texts,
            "CorrelationData": st.binary(max_size=200),
            "UserProperty": st.lists(st.tuples(texts, texts), min_size=1, max_size=4),
        },
    )
)
def test_the_properties_of_a_message_are_what_paho_reads(told: dict[str, Any]) -> None:
    theirs = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in told.items():
        setattr(theirs, name, value)
    packed: bytes = theirs.pack()  # type: ignore[no-untyped-call]
    message = read_publish((0x32, b"\0\1a\0\1" + packed + b"{}"), True)
    assert message is not None and message.payload == b"{}"
    assert (vars(message.properties) if told else {}) == told


@pytest.mark.parametrize("packed", [b"\1\x7f", b"\3\3\0\x09", b"\xff\xff\xff\xff\1", b"\5\x26\0\1a", b"\x11"])
def test_properties_that_are_none_are_refused(packed: bytes) -> None:
    with pytest.raises((ValueError, IndexError, KeyError)):
        read_publish((0x32, b"\0\1a\0\1" + packed), True)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0", "x" * 65_536])
def test_nothing_is_published_to_what_is_no_topic(topic: str) -> None:
    with pytest.raises(ValueError):
        write_publish(topic, b"", (1, False), (1, b"\0"))


def test_confirmations_say_which_message_and_why() -> None:
    assert write_short(PUBACK, 258) == b"\x40\2\1\2" and write_short(PUBREL, 258) == b"\x62\2\1\2"
    mid, reason = read_confirmation((PUBACK << 4, b"\1\2"))
    assert (mid, str(reason), reason.is_failure) == (258, "Success", False)
    mid, reason = read_confirmation((PUBREC << 4, b"\1\2\x97\0"))
    assert (mid, str(reason), reason.is_failure) == (258, "Quota exceeded", True)
    with pytest.raises(KeyError):
        read_confirmation((PUBACK << 4, b"\1\2\x33"))
