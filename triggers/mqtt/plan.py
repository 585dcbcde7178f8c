"""What the MQTT trigger is to do: brokers and rules, decided before it starts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

from conf.bind import Bind
from conf.devices import Device
from conf.topics import matches
from triggers.delivery.retry import RetryPolicy
from triggers.mqtt.url import parse_url

Version = Literal["auto", "3.1.1", "5"]
Order = Literal["none", "topic", "device"]

DEVICE = "deviceInfo.deviceName"
SHARED = "$share/"
MIB = 1024 * 1024


@dataclass(frozen=True)
class BrokerPlan:
    """How to reach one broker. `qos` and `retain` hold for publishing; subscriptions are made with QoS <= 1.

    `version: auto` asks the broker once, with a connection of its own, whether it speaks MQTT 5, and uses
    3.1.1 otherwise. A broker that closes that connection without an answer wants `version: 3.1.1`.
    `status` is the topic where the host says, retained, whether it is online.
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
    status: str | None = None


@dataclass(frozen=True)
class Dedupe:
    """Events with the same value at `key` (a dotted path) within `window` seconds are one event."""

    key: str
    window: float


@dataclass(frozen=True)
class Care:
    """How a rule deals with its events; see `docs/delivery.md`.

    `retries` has, for each of the rule's functions, when it is tried again. `order` keeps the events of one
    topic or device in order; `device` is the dotted path to the device's name in events of functions without
    devices. Events older than `max_age` seconds are dropped; with `latest`, so is all but the newest
    waiting one of a device.
    """

    retries: tuple[RetryPolicy, ...] = ()
    order: Order = "none"
    device: str = DEVICE
    dedupe: Dedupe | None = None
    max_age: float | None = None
    latest: bool = False


@dataclass(frozen=True)
class ReadLimits:
    """What of an event is read as JSON: `size` bytes where its functions do not say, so many levels deep."""

    size: int = 6 * MIB
    depth: int = 100


@dataclass(frozen=True)
class Target:
    """Where a rule publishes to."""

    broker: str
    client_id: str
    topic: str


@dataclass(frozen=True)
class RulePlan:
    """A source topic, the functions it feeds as (name, position in `funcs`), and the target topic.

    `devices` has, for each of the functions, the devices whose events it takes (none: every event).
    `error` is where it is told what became of events without an answer.
    `sub_process` is what the rows of `/queue_size_metrics` are called by, instead of broker and function.

    A result that its broker has not confirmed `timeout` seconds after it was sent is sent again over a new
    connection. `retained` lets the rule take retained messages, too. Hosts with the same `group` share the
    events (MQTT 5 §4.8.2). `bind` says what each device may send.
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
    devices: tuple[tuple[Device, ...], ...] = ()
    sub_process: str | None = None
    error: Target | None = None
    group: str | None = None
    care: Care = Care()
    bind: Bind | None = None
    reading: ReadLimits = ReadLimits()

    @property
    def session(self) -> str:
        """What its session with the broker is called."""
        return f"{self.sub_broker}/{self.sub_client_id}"

    @property
    def topic_filter(self) -> str:
        """What is subscribed to; `sub_topic` may be shared by itself."""
        return self.sub_topic if self.group is None else f"{SHARED}{self.group}/{self.sub_topic}"

    @property
    def shared(self) -> bool:
        """Whether it is a shared subscription."""
        return self.topic_filter.startswith(SHARED)

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everywhere the rule publishes to."""
        results = Target(self.pub_broker, self.pub_client_id, self.pub_topic)
        return (results,) if self.error is None else (results, self.error)


@dataclass(frozen=True)
class MqttPlan:
    """All brokers and rules of a host; `targets` are published to by others than rules (timers)."""

    brokers: tuple[BrokerPlan, ...]
    rules: tuple[RulePlan, ...]
    targets: tuple[Target, ...] = ()

    def check(self) -> None:
        """Raise ValueError with every rule that would feed itself or take another's connection away."""
        faults = [*self._unknown(), *self._shared(), *self._loops()]
        if faults:
            raise ValueError("; ".join(faults))

    def _unknown(self) -> Iterator[str]:
        known = {broker.name for broker in self.brokers}
        for rule in self.rules:
            named = {rule.sub_broker, *(target.broker for target in rule.targets)}
            for name in sorted(named - known):
                yield f"rule {rule.name}: no broker is called {name}"

    def _shared(self) -> Iterator[str]:
        subscribing = sorted((rule.sub_broker, rule.sub_client_id) for rule in self.rules)
        targets = [target for rule in self.rules for target in rule.targets] + list(self.targets)
        publishing = {(each.broker, each.client_id) for each in targets}
        twice = {left for left, right in pairwise(subscribing) if left == right}
        for broker, client_id in sorted(twice | publishing.intersection(subscribing)):
            yield f"client id {client_id} has two connections to {broker}; each would cut off the other"

    def _loops(self) -> Iterator[str]:
        address = {broker.name: parse_url(broker.url).place for broker in self.brokers}
        for rule in self.rules:
            here = address.get(rule.sub_broker)
            for target in rule.targets:
                if address.get(target.broker) == here and matches(rule.sub_topic, target.topic):
                    source = rule.sub_topic
                    yield f"rule {rule.name} would be fed its own results: {source} covers {target.topic}"


def lane_name(plan: RulePlan, function: str) -> str:
    """What the rule's rows for `function` are called in the inbox."""
    return f"mqtt/{plan.sub_broker}/{plan.sub_client_id}/{function}"
