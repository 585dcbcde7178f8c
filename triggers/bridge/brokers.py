"""A broker with several addresses, each attempt to connect going to the next of them."""

from itertools import cycle

from paho.mqtt.client import Client

from triggers.bridge.plan import TargetPlan
from triggers.mqtt.broker import Broker, Will
from triggers.mqtt.plan import BrokerPlan
from triggers.mqtt.url import parse_url


class Brokers(Broker):
    """Called `name` in logs. Raises ValueError when an address is none."""

    def __init__(self, name: str, target: TargetPlan) -> None:
        super().__init__(BrokerPlan(name, target.urls[0], qos=target.qos))
        self._addresses = cycle([parse_url(url) for url in target.urls])

    def connect(self, client_id: str, *, persistent: bool, will: Will | None = None) -> Client:
        """As of Broker, at the next address."""
        self.address = next(self._addresses)
        return super().connect(client_id, persistent=persistent, will=will)

    def probe(self) -> Client:
        """As of Broker, at the next address."""
        self.address = next(self._addresses)
        return super().probe()
