"""Who owns a connection, and what of it they hear."""

from typing import TYPE_CHECKING

from paho.mqtt.client import MQTTMessage
from paho.mqtt.reasoncodes import ReasonCode

if TYPE_CHECKING:
    from triggers.mqtt.connection import Connection


class Peer:
    """The owner of a connection; it hears of everything outside paho's locks, on the event loop."""

    def ready(self) -> bool:
        """Whether a connection is of use just now; asked before each attempt to make one."""
        return True

    def opened(self, connection: "Connection", session_present: bool) -> None:
        """The broker accepted; nothing was received yet."""

    def subscribed(self, reasons: list[ReasonCode]) -> None:
        """The broker answered a subscription."""

    def received(self, message: MQTTMessage) -> None:
        """A message came."""

    def confirmed(self, mid: int, reason: ReasonCode) -> None:
        """The broker has (QoS >= 1), or the socket took (QoS 0), what was published as `mid`."""

    def ticked(self, now: float) -> None:
        """Another second of the connection has passed; `now` is the event loop's time."""

    def leaving(self, connection: "Connection") -> None:
        """The host stops using the connection; what is published now is still written."""

    def closed(self) -> None:
        """The connection is gone; its message ids mean nothing any more."""
