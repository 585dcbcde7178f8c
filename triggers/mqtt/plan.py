"""What the MQTT trigger is to do: brokers and rules, decided before it starts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from conf.topics import matches
from triggers.mqtt.url import parse_url

Version = Literal["auto", "3.1.1", "5"]


@dataclass(frozen=True)
class BrokerPlan:
    """How to reach one broker. `qos` and `retain` hold for publishing; subscriptions are made with QoS <= 1.

    `version: auto` asks the broker once, with a connection of its own, whether it speaks MQTT 5, and uses
    3.1.1 otherwise. A broker that closes that connection without an answer wants `version: 3.1.1`.
    """

    name: str
    url: str = field(repr=False)
    qos: int = 0
    retain: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    version: Version = "auto"


@dataclass(frozen=True)
class RulePlan:
    """A source topic, the functions it feeds as (name, position in `funcs`), and the target topic.

    A result that its broker has not confirmed `timeout` seconds after it was sent is sent again over a new
    connection. `retained` lets the rule take retained messages, too.
    """

    name: str
    sub_broker: str
    sub_client_id: str
    sub_topic: str
    pub_broker: str
    pub_client_id: str
    pub_topic: str
    functions: tuple[tuple[str, int], ...]
    timeout: float = 10.0
    retained: bool = False


@dataclass(frozen=True)
class MqttPlan:
    """All brokers and rules of a host."""

    brokers: tuple[BrokerPlan, ...]
    rules: tuple[RulePlan, ...]

    def check(self) -> None:
        """Raise ValueError with every rule that would feed itself or take another's connection away."""
        faults = [*self._unknown(), *self._shared(), *self._loops()]
        if faults:
            raise ValueError("; ".join(faults))

    def _unknown(self) -> Iterator[str]:
        known = {broker.name for broker in self.brokers}
        for rule in self.rules:
            for name in {rule.sub_broker, rule.pub_broker} - known:
                yield f"rule {rule.name}: no broker is called {name}"

    def _shared(self) -> Iterator[str]:
        subscribing = sorted((rule.sub_broker, rule.sub_client_id) for rule in self.rules)
        publishing = {(rule.pub_broker, rule.pub_client_id) for rule in self.rules}
        twice = {left for left, right in pairwise(subscribing) if left == right}
        for broker, client_id in sorted(twice | publishing.intersection(subscribing)):
            yield f"client id {client_id} has two connections to {broker}; each would cut off the other"

    def _loops(self) -> Iterator[str]:
        address = {broker.name: parse_url(broker.url).place for broker in self.brokers}
        for rule in self.rules:
            same = address.get(rule.sub_broker) == address.get(rule.pub_broker)
            if same and matches(rule.sub_topic, rule.pub_topic):
                source, target = rule.sub_topic, rule.pub_topic
                yield f"rule {rule.name} would be fed its own results: {source} covers {target}"
