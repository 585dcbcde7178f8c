"""How a broker answers CONNECT: a refusal, or the limits that it sets a client."""

from dataclasses import dataclass

from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

IN_FLIGHT = 1000
UNSUPPORTED_VERSION = 132


class RefusedError(ConnectionError):
    """The broker answered CONNECT with a refusal; `code` is that of MQTT 5, also for 3.1.1."""

    def __init__(self, reason: ReasonCode) -> None:
        super().__init__(str(reason))
        self.code = reason.value
        self.unsupported_version = reason.value == UNSUPPORTED_VERSION


@dataclass(frozen=True)
class Limits:
    """What the broker allows (MQTT 5 §3.2.2.3): messages in flight, QoS, retaining, bytes, sharing.

    MQTT 3.1.1 says nothing of it, and mosquitto 2.0.11 lets QoS 2 stall for ever beyond its 20 in flight.
    """

    in_flight: int = IN_FLIGHT
    in_flight_2: int = 20
    qos: int = 2
    retain: bool = True
    packet: int = 268_435_455
    shared: bool = True

    @classmethod
    def of(cls, properties: Properties) -> "Limits":
        """The limits in the CONNACK of MQTT 5."""
        told = vars(properties)
        in_flight = min(told.get("ReceiveMaximum", IN_FLIGHT), IN_FLIGHT)
        return cls(
            in_flight=in_flight,
            in_flight_2=in_flight,
            qos=told.get("MaximumQoS", cls.qos),
            retain=bool(told.get("RetainAvailable", cls.retain)),
            packet=told.get("MaximumPacketSize", cls.packet),
            shared=bool(told.get("SharedSubscriptionAvailable", cls.shared)),
        )

    def room(self, qos: int) -> int:
        """How many messages may be unconfirmed when one of `qos` is sent."""
        return self.in_flight_2 if qos == 2 else self.in_flight
