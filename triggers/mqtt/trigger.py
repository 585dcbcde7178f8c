"""The MQTT trigger as the host sees it: set up from a plan, started, asked for its state, stopped."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial

from runtime.events import Dispatch
from triggers.mqtt.broker import Broker
from triggers.mqtt.failures import FailureLog
from triggers.mqtt.lane import Lane
from triggers.mqtt.link import Identity, Link
from triggers.mqtt.messages import Counters, OnFailure
from triggers.mqtt.peer import Peer
from triggers.mqtt.plan import BrokerPlan, MqttPlan, RulePlan
from triggers.mqtt.presence import Presence
from triggers.mqtt.publisher import Publisher
from triggers.mqtt.results import Outlet
from triggers.mqtt.rule import Rule
from triggers.mqtt.subscriber import Subscriber

logger = logging.getLogger(__name__)

DRAIN_TIMEOUT = 10.0
DRAIN_TICK = 0.02
# Connecting blocks a thread for seconds while a broker is away; the rest of the host needs its own.
CONNECT_THREADS = 8
REPLY = "-reply"

Key = tuple[str, str]
Subscription = tuple[str, str, str, bool]


@dataclass(frozen=True)
class QueueRow:
    """One row of `/queue_size_metrics`: events without an answer, results without a confirmation."""

    sub_process_name: str
    pre_queue: int
    post_queue: int


@dataclass(kw_only=True)
class ConnectionState(Counters):
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
        self._publishers: dict[Key, tuple[Publisher, Link]] = {}
        self._subscribers: dict[Key, tuple[Subscriber, Link]] = {}
        self._presence = Presence(self._threads)
        self._started = False

    async def setup(self) -> None:
        """Build all connections. Raises ValueError with every fault of the plan."""
        self._plan.check()
        self._brokers = {broker.name: Broker(broker) for broker in self._plan.brokers}
        self._build()

    async def start(self) -> None:
        """Begin to connect; returns at once, whether or not the brokers are there."""
        self._started = True
        for link in self._links():
            link.start()
        await self._presence.follow(self._plan, self._brokers)

    async def apply(self, plan: MqttPlan) -> None:
        """Go over to another plan; rules that stay drop no event. Raises ValueError and changes nothing.

        A rule stays when its subscription does: broker, client id, topic, and whether it takes retained
        messages. Its functions and its target change in place.
        """
        plan.check()
        brokers = {each.name: self._kept(each) or Broker(each) for each in plan.brokers}
        changed = {name for name, broker in self._brokers.items() if brokers.get(name) is not broker}
        staying = {_subscription(rule) for rule in plan.rules if rule.sub_broker not in changed}
        await self._leave(staying, {(rule.sub_broker, rule.sub_client_id): rule for rule in plan.rules})
        self._plan, self._brokers = plan, brokers
        retired = [self._publishers.pop(key) for key in list(self._publishers) if key[0] in changed]
        await asyncio.gather(*(link.stop() for _, link in retired))
        self._build()
        if self._started:
            await self._presence.follow(plan, brokers)
        unused = self._take_unused()
        await asyncio.gather(*(link.stop() for _, link in unused))
        for publisher, link in (*retired, *unused):
            self._hand_over(publisher, link.identity)

    async def stop(self) -> None:
        """Stop taking, wait up to 10 s for what is being worked, acknowledge it and disconnect."""
        await self._quiesce([subscriber for subscriber, _ in self._subscribers.values()])
        await asyncio.gather(*(link.stop() for link in self._links()), self._presence.stop())
        self._threads.shutdown(wait=False, cancel_futures=True)

    def rows(self) -> list[QueueRow]:
        """One row per rule and function."""
        return [
            QueueRow(_sub_process(subscriber.rule.plan, lane, number), lane.events, lane.results)
            for subscriber, _ in self._in_order()
            for number, lane in enumerate(subscriber.rule.lanes)
        ]

    def state(self) -> list[ConnectionState]:
        """One entry per connection, the subscribing ones first, in the order of the rules."""
        subscribing = [
            replace(
                _state(link, subscriber.rule.plan.name, asdict(subscriber.rule.counters)),
                connected=subscriber.subscribed_now,
            )
            for subscriber, link in self._in_order()
        ]
        publishing = [
            _state(link, None, {"published": publisher.published, "waiting": len(publisher)})
            for publisher, link in self._publishers.values()
        ]
        return subscribing + publishing + [_state(link, None, {}) for link in self._presence.links]

    def _build(self) -> None:
        for rule in self._plan.rules:
            self._publisher(rule.pub_broker, rule.pub_client_id)
            self._subscribe(rule)

    def _subscribe(self, plan: RulePlan) -> None:
        key = plan.sub_broker, plan.sub_client_id
        if key in self._subscribers:
            self._subscribers[key][0].rule.update(plan, self._outlet(plan))
            return
        broker = self._brokers[plan.sub_broker]
        rule = Rule(plan, self._dispatch, self._outlet(plan), self._on_failure)
        subscriber = Subscriber(rule, broker)
        link = self._link(
            Identity(broker, plan.sub_client_id, persistent=True, shared=plan.shared), subscriber
        )
        self._subscribers[key] = subscriber, link

    def _outlet(self, plan: RulePlan) -> Outlet:
        target = self._publisher(plan.pub_broker, plan.pub_client_id)
        errors = self._publisher(plan.error.broker, plan.error.client_id) if plan.error else None
        return Outlet(plan, self._brokers[plan.pub_broker].plan, target, partial(self._reply, plan), errors)

    def _publisher(self, broker: str, client_id: str) -> Publisher:
        known = self._publishers.get((broker, client_id))
        if known is not None:
            return known[0]
        publisher = Publisher()
        link = self._link(Identity(self._brokers[broker], client_id, persistent=False), publisher)
        self._publishers[broker, client_id] = publisher, link
        return publisher

    def _reply(self, plan: RulePlan) -> Publisher:
        """Answers to a response topic go to the broker of the request; made for the first of them."""
        if plan.sub_broker == plan.pub_broker:
            return self._publisher(plan.pub_broker, plan.pub_client_id)
        return self._publisher(plan.sub_broker, f"{plan.sub_client_id}{REPLY}")

    def _link(self, identity: Identity, peer: Peer) -> Link:
        link = Link(identity, peer, self._threads)
        if self._started:
            link.start()
        return link

    def _kept(self, plan: BrokerPlan) -> Broker | None:
        known = self._brokers.get(plan.name)
        return known if known is not None and known.plan == plan else None

    async def _leave(self, staying: set[Subscription], following: dict[Key, RulePlan]) -> None:
        leaving = {
            key: pair
            for key, pair in self._subscribers.items()
            if _subscription(pair[0].rule.plan) not in staying
        }
        await self._quiesce([subscriber for subscriber, _ in leaving.values()])
        for key, (subscriber, link) in leaving.items():
            successor = following.get(key)
            if successor is None or successor.topic_filter != subscriber.rule.plan.topic_filter:
                subscriber.leave()
            await link.stop()
            del self._subscribers[key]

    def _take_unused(self) -> list[tuple[Publisher, Link]]:
        wanted = {(each.broker, each.client_id) for rule in self._plan.rules for each in rule.targets}
        wanted |= {(rule.sub_broker, f"{rule.sub_client_id}{REPLY}") for rule in self._plan.rules}
        return [self._publishers.pop(key) for key in list(self._publishers) if key not in wanted]

    def _hand_over(self, publisher: Publisher, identity: Identity) -> None:
        name = identity.broker.plan.name
        beside = (pair for (broker, _), pair in self._publishers.items() if broker == name)
        successor = self._publishers.get((name, identity.client_id)) or next(beside, None)
        if successor is not None:
            publisher.hand_over(successor[0])
        else:
            publisher.give_up(f"the config has no broker {name} any more")

    async def _quiesce(self, subscribers: list[Subscriber]) -> None:
        """Take no more for these, wait up to 10 s for what is being worked, and let the rest be."""
        for subscriber in subscribers:
            subscriber.stop_taking()
        loop = asyncio.get_running_loop()
        until = loop.time() + DRAIN_TIMEOUT
        # Polled, so that no lane must say on each event whether it has become idle.
        while loop.time() < until and not all(each.rule.idle for each in subscribers):  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_TICK)
        for subscriber in subscribers:
            subscriber.rule.close()

    def _in_order(self) -> list[tuple[Subscriber, Link]]:
        # In the middle of going over to another plan some are not there.
        keys = ((rule.sub_broker, rule.sub_client_id) for rule in self._plan.rules)
        return [self._subscribers[key] for key in keys if key in self._subscribers]

    def _links(self) -> Iterator[Link]:
        for _, link in (*self._subscribers.values(), *self._publishers.values()):
            yield link


def _sub_process(rule: RulePlan, lane: Lane, number: int) -> str:
    if rule.sub_process is not None:
        return f"sub_process_{rule.sub_process}_{number}"
    return f"sub_process_{rule.sub_broker}_{lane.function}_{lane.position}"


def _subscription(rule: RulePlan) -> Subscription:
    return rule.sub_broker, rule.sub_client_id, rule.topic_filter, rule.retained


def _state(link: Link, rule: str | None, counters: dict[str, int]) -> ConnectionState:
    identity = link.identity
    return ConnectionState(
        broker=identity.broker.plan.name,
        client_id=identity.client_id,
        rule=rule,
        connected=link.connected,
        version="5" if identity.broker.speaks_5 else "3.1.1",
        last_error=link.last_error,
        reconnects=link.reconnects,
        **counters,
    )
