"""The messages of one connection, in both directions, past paho."""

from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from triggers.mqtt.ear import Ear
from triggers.mqtt.packets import (
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    Packet,
    read_confirmation,
    read_publish,
    write_publish,
    write_short,
)
from triggers.mqtt.properties import Packed
from triggers.mqtt.wire import Wire

# Below are those that paho gives its subscriptions.
FIRST_MID, LAST_MID = 1000, 65535
WRITTEN = ReasonCode(PacketTypes.PUBACK)


class Traffic:
    """Numbers what is published, and notes what comes: `messages`, and `confirmations` as (id, reason).

    `ear` hears of each message, if there is one.
    """

    def __init__(self, wire: Wire, version_5: bool, ear: Ear | None = None) -> None:
        self.messages: list[MQTTMessage] = []
        self.confirmations: list[tuple[int, ReasonCode]] = []
        self._wire = wire
        self._ear = ear
        self._version_5 = version_5
        self._last_mid = FIRST_MID - 1
        self._unconfirmed: set[int] = set()
        self._unwritten: list[int] = []

    def publish(
        self, topic: str, payload: bytes, flags: tuple[int, bool], properties: Packed | None
    ) -> int | None:
        """Let a message with `flags` (QoS, retain) go; its id, or None when none is free.

        Raises ValueError when nothing can be published to `topic`, or the message is too large.
        """
        mid = self._last_mid + 1 if self._last_mid < LAST_MID else FIRST_MID
        if mid in self._unconfirmed:
            return None
        packed = (properties.pack() if properties is not None else b"\0") if self._version_5 else b""
        self._wire.write(write_publish(topic, payload, flags, (mid, packed)))
        if self._ear is not None:
            self._ear.sent(topic, payload, flags, (mid, packed))
        self._last_mid = mid
        if flags[0]:
            self._unconfirmed.add(mid)
        else:
            self._unwritten.append(mid)
        return mid

    def acknowledge(self, mid: int) -> None:
        """Acknowledge a message of QoS 1."""
        self._wire.write(write_short(PUBACK, mid))

    def hear(self, packet: Packet) -> None:
        """Note what a packet says, or let paho have it. Raises ValueError, KeyError or IndexError."""
        kind = packet[0] >> 4
        if kind == PUBLISH and (message := read_publish(packet, self._version_5)) is not None:
            self.messages.append(message)
            if self._ear is not None:
                self._ear.received(message, len(packet[1]))
        elif kind in (PUBACK, PUBREC, PUBCOMP):
            self._take_confirmation(kind, *read_confirmation(packet))
        else:
            self._wire.pass_on(packet)

    def take(self) -> tuple[list[tuple[int, ReasonCode]], list[MQTTMessage]]:
        """The confirmations and messages noted since the last time."""
        taken = self.confirmations, self.messages
        self.confirmations, self.messages = [], []
        return taken

    def all_written(self) -> None:
        """The socket has taken everything, which is all the confirmation that QoS 0 knows."""
        if self._unwritten:
            self.confirmations += [(mid, WRITTEN) for mid in self._unwritten]
            self._unwritten.clear()

    def _take_confirmation(self, kind: int, mid: int, reason: ReasonCode) -> None:
        if mid not in self._unconfirmed:
            return
        if kind == PUBREC and not reason.is_failure:
            self._wire.write(write_short(PUBREL, mid))
            return
        self._unconfirmed.discard(mid)
        self.confirmations.append((mid, reason))
