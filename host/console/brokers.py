"""The brokers that the host is connected to, or should be: their connections, added up."""

from collections.abc import Iterable
from dataclasses import dataclass

from triggers.mqtt.states import ConnectionState

LONGEST_ERROR = 300


@dataclass(slots=True)
class BrokerState:
    """One broker: how many of its `connections` stand, and the error of one that does not."""

    name: str
    connections: int = 0
    connected: int = 0
    reconnects: int = 0
    error: str = ""

    @property
    def state(self) -> str:
        """`good`, `warn` where some are away, `bad` where all are."""
        if self.connected == self.connections:
            return "good"
        return "warn" if self.connected else "bad"


def list_brokers(connections: Iterable[ConnectionState]) -> list[BrokerState]:
    """By name."""
    found: dict[str, BrokerState] = {}
    for each in connections:
        broker = found.setdefault(each.broker, BrokerState(each.broker))
        broker.connections += 1
        broker.connected += each.connected
        broker.reconnects += each.reconnects
        if not each.connected:
            broker.error = broker.error or (each.last_error or "")[:LONGEST_ERROR]
    return [found[name] for name in sorted(found)]
