"""The MQTT trigger as the host sees it: set up from a plan, started, asked for its state, stopped."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial

from runtime.events import Dispatch
from triggers.mqtt.broker import Broker
from triggers.mqtt.connection import Peer
from triggers.mqtt.failures import FailureLog
from triggers.mqtt.link import Identity, Link
from triggers.mqtt.messages import OnFailure
from triggers.mqtt.plan import MqttPlan, RulePlan
from triggers.mqtt.publisher import Publisher
from triggers.mqtt.results import Outlet
from triggers.mqtt.rule import Rule
from triggers.mqtt.subscriber import Subscriber

logger = logging.getLogger(__name__)

DRAIN_TIMEOUT = 10.0
DRAIN_TICK = 0.02
# Connecting blocks a thread for seconds while a broker is away; the rest of the host needs its own.
CONNECT_THREADS = 8


@dataclass(frozen=True)
class QueueRow:
    """One row of `/queue_size_metrics`: events without an answer, results without a confirmation."""

    sub_process_name: str
    pre_queue: int
    post_queue: int


@dataclass(frozen=True)
class ConnectionState:
    """One connection: a subscribing one has its rule's counters, a publishing one the last two.

    `connected` says of a subscribing one that the broker has granted its subscription.
    """

    broker: str
    client_id: str
    rule: str | None
    connected: bool
    version: str
    last_error: str | None
    reconnects: int
    received: int = 0
    answered: int = 0
    failed: int = 0
    dropped: int = 0
    ignored: int = 0
    sessions_lost: int = 0
    published: int = 0
    waiting: int = 0


class MqttTrigger:
    """Feeds functions from MQTT and publishes their results; `on_failure` hears of each failed event."""

    def __init__(self, plan: MqttPlan, dispatch: Dispatch, on_failure: OnFailure | None = None) -> None:
        self._plan = plan
        self._dispatch = dispatch
        self._on_failure = on_failure or FailureLog()
        self._threads = ThreadPoolExecutor(CONNECT_THREADS, "mqtt-connect")
        self._brokers: dict[str, Broker] = {}
        self._publishers: dict[tuple[str, str], tuple[Publisher, Link]] = {}
        self._subscribers: list[tuple[Subscriber, Link]] = []
        self._started = False

    async def setup(self) -> None:
        """Build all connections. Raises ValueError with every fault of the plan."""
        self._plan.check()
        self._brokers = {broker.name: Broker(broker) for broker in self._plan.brokers}
        for rule in self._plan.rules:
            self._publisher(rule.pub_broker, rule.pub_client_id)
            self._subscribers.append(self._subscriber(rule))
        for name in sorted({rule.sub_broker for rule in self._plan.rules}):
            if self._brokers[name].plan.qos == 2:
                logger.info("mqtt %s: subscribing with QoS 1, since QoS 2 can lose messages in a crash", name)

    async def start(self) -> None:
        """Begin to connect; returns at once, whether or not the brokers are there."""
        self._started = True
        for link in self._links():
            link.start()

    async def stop(self) -> None:
        """Stop taking, wait up to 10 s for what is being worked, acknowledge it and disconnect."""
        for subscriber, _ in self._subscribers:
            subscriber.stop_taking()
        await self._drain()
        for subscriber, _ in self._subscribers:
            subscriber.rule.close()
        await asyncio.gather(*(link.stop() for link in self._links()))
        self._threads.shutdown(wait=False, cancel_futures=True)

    def rows(self) -> list[QueueRow]:
        """One row per rule and function."""
        return [
            QueueRow(
                f"sub_process_{subscriber.rule.plan.sub_broker}_{lane.function}_{lane.position}",
                lane.events,
                lane.results,
            )
            for subscriber, _ in self._subscribers
            for lane in subscriber.rule.lanes
        ]

    def state(self) -> list[ConnectionState]:
        """One entry per connection, the subscribing ones first, in the order of the rules."""
        subscribing = [
            replace(
                _state(link, subscriber.rule.plan.name, asdict(subscriber.rule.counters)),
                connected=subscriber.subscribed_now,
            )
            for subscriber, link in self._subscribers
        ]
        publishing = [
            _state(link, None, {"published": publisher.published, "waiting": len(publisher)})
            for publisher, link in self._publishers.values()
        ]
        return subscribing + publishing

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + DRAIN_TIMEOUT
        rules = [subscriber.rule for subscriber, _ in self._subscribers]
        # Polled, so that no lane must say on each event whether it has become idle.
        while loop.time() < until and not all(rule.idle for rule in rules):  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_TICK)

    def _links(self) -> Iterator[Link]:
        for _, link in (*self._subscribers, *self._publishers.values()):
            yield link

    def _subscriber(self, plan: RulePlan) -> tuple[Subscriber, Link]:
        outlet = Outlet(
            plan,
            self._brokers[plan.pub_broker].plan,
            target=self._publisher(plan.pub_broker, plan.pub_client_id),
            reply=partial(self._reply, plan),
        )
        broker = self._brokers[plan.sub_broker]
        subscriber = Subscriber(Rule(plan, self._dispatch, outlet, self._on_failure), broker)
        return subscriber, self._link(Identity(broker, plan.sub_client_id, persistent=True), subscriber)

    def _publisher(self, broker: str, client_id: str) -> Publisher:
        known = self._publishers.get((broker, client_id))
        if known is not None:
            return known[0]
        publisher = Publisher()
        link = self._link(Identity(self._brokers[broker], client_id, persistent=False), publisher)
        self._publishers[broker, client_id] = publisher, link
        if self._started:
            link.start()
        return publisher

    def _reply(self, plan: RulePlan) -> Publisher:
        """Answers to a response topic go to the broker of the request; made for the first of them."""
        if plan.sub_broker == plan.pub_broker:
            return self._publisher(plan.pub_broker, plan.pub_client_id)
        return self._publisher(plan.sub_broker, f"{plan.sub_client_id}-reply")

    def _link(self, identity: Identity, peer: Peer) -> Link:
        return Link(identity, peer, self._threads)


def _state(link: Link, rule: str | None, counters: dict[str, int]) -> ConnectionState:
    identity = link.identity
    return ConnectionState(
        identity.broker.plan.name,
        identity.client_id,
        rule,
        connected=link.connected,
        version="5" if identity.broker.speaks_5 else "3.1.1",
        last_error=link.last_error,
        reconnects=link.reconnects,
        **counters,
    )
