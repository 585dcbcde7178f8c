"""The MQTT trigger as the host sees it: set up from a plan, started, asked for its state, stopped."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from triggers.delivery.keeping import Keeping
from triggers.delivery.lane_plan import LaneView
from triggers.delivery.orphans import Burials
from triggers.mqtt.broker import Broker
from triggers.mqtt.failures import FailureLog
from triggers.mqtt.feed import Feed
from triggers.mqtt.link import Identity, Link
from triggers.mqtt.memory import Memory
from triggers.mqtt.messages import OnFailure
from triggers.mqtt.peer import Peer
from triggers.mqtt.plan import BrokerPlan, MqttPlan, RulePlan
from triggers.mqtt.presence import Presence
from triggers.mqtt.publishers import Publishers
from triggers.mqtt.rule import Rule, RuleParts, lane_names
from triggers.mqtt.spells import Spells
from triggers.mqtt.states import ConnectionState, QueueRow, RuleView, publishing, subscribing, telling
from triggers.mqtt.subscriber import Subscriber
from triggers.mqtt.topics_seen import TopicsSeen
from triggers.mqtt.visits import Visits

logger = logging.getLogger(__name__)

DRAIN_TIMEOUT = 10.0
DRAIN_TICK = 0.02
# Connecting blocks a thread for seconds while a broker is away; the rest of the host needs its own.
CONNECT_THREADS = 8
FLUSH_TIMEOUT = 5.0
TICK = 0.1
LANES = "mqtt/"

Key = tuple[str, str]
Subscription = tuple[str, str, str, bool, str, bool]


class MqttTrigger:
    """Feeds functions from MQTT and publishes their results; `on_failure` hears of each failed event."""

    def __init__(
        self,
        plan: MqttPlan,
        feed: Feed,
        keeping: Keeping,
        on_failure: OnFailure | None = None,
    ) -> None:
        self._plan = plan
        self._failures = FailureLog()
        self._parts = RuleParts(feed, on_failure or self._failures, keeping.store, keeping.failpoints)
        self._threads = ThreadPoolExecutor(CONNECT_THREADS, "mqtt-connect")
        self._brokers: dict[str, Broker] = {}
        self.seen = TopicsSeen()
        self.visits = Visits(self._threads, self.seen)
        self.publishers = Publishers(keeping, self._link)
        self._subscribers: dict[Key, tuple[Subscriber, Link]] = {}
        self._memory = Memory(keeping.store)
        self._burials = Burials(keeping.store)
        self._presence = Presence(self._threads)
        self._ticking: asyncio.TimerHandle | None = None
        self._started = False

    async def setup(self) -> None:
        """Build all connections, over an open store. Raises ValueError with every fault of the plan."""
        self._plan.check()
        await self._memory.recall()
        self._use(self._plan, {broker.name: Broker(broker, self.seen) for broker in self._plan.brokers})
        self._build()

    async def start(self) -> None:
        """Begin to connect; returns at once, whether or not the brokers are there."""
        self._parts.failpoints.reach("store.recovered")
        await self.publishers.adopt_orphans()
        # What waits for rules that are gone becomes dead letters, to be replayed once they are back.
        there = lane_names(self._plan)
        self._burials.begin({each for each in self._parts.store.lanes if each.startswith(LANES)} - there)
        self._started = True
        for link in self._links():
            link.start()
        for subscriber, _ in self._subscribers.values():
            subscriber.rule.begin()
        self._tick()
        await self._presence.follow(self._plan, self._brokers)

    async def apply(self, plan: MqttPlan) -> None:
        """Go over to another plan; rules that stay drop no event. Raises ValueError and changes nothing.

        A rule stays when its subscription does: broker, client id, topic, whether it takes retained messages,
        and how it keeps order. Its functions and its target change in place.
        """
        plan.check()
        brokers = {each.name: self._kept(each) or Broker(each, self.seen) for each in plan.brokers}
        changed = {name for name, broker in self._brokers.items() if brokers.get(name) is not broker}
        staying = {_subscription(rule) for rule in plan.rules if rule.sub_broker not in changed}
        await self._burials.stop(lane_names(plan))
        await self._leave(staying, plan)
        self._use(plan, brokers)
        retired = await self.publishers.retire(changed)
        self._build()
        self.seen.change_rules()
        if self._started:
            await self._presence.follow(plan, brokers)
        retired += await self.publishers.retire_unused(plan.rules, plan.targets)
        await self.publishers.place(retired)

    async def stop(self) -> None:
        """Stop taking, wait up to 10 s for what is being worked, acknowledge it and disconnect.

        Results that no broker has confirmed by then are put on disk.
        """
        await self._quiesce([subscriber for subscriber, _ in self._subscribers.values()])
        await self.publishers.flush(FLUSH_TIMEOUT)
        await asyncio.gather(*(link.stop() for link in self._links()), self._presence.stop())
        # What was confirmed or acknowledged while the connections closed is settled by now.
        await self.publishers.flush(FLUSH_TIMEOUT)
        if self._ticking is not None:
            self._ticking.cancel()
        pairs = self._subscribers.values()
        self._memory.save((each.session, each.rule.repeats) for each, _ in pairs)
        await self._burials.stop()
        self._failures.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def wake(self, name: str) -> bool:
        """Rows were added for the lane or target `name`; False when the plan has none of that name."""
        for subscriber, _ in self._subscribers.values():
            for lane in subscriber.rule.lanes:
                if lane.plan.name == name:
                    lane.wake()
                    return True
        return self.publishers.wake(name)

    def rows(self) -> list[QueueRow]:
        """One row per rule and function."""
        return [
            QueueRow(_sub_process(subscriber.rule.plan, number), lane.events, lane.results)
            for subscriber, _ in self._in_order()
            for number, lane in enumerate(subscriber.rule.lanes)
        ]

    def state(self) -> list[ConnectionState]:
        """One entry per connection, the subscribing ones first, in the order of the rules."""
        subscribed = [subscribing(*pair) for pair in self._in_order()]
        published = [publishing(*pair) for pair in self.publishers]
        return subscribed + published + [telling(*pair) for pair in self._presence]

    def spells(self) -> list[Spells]:
        """When each connection was there and when not, in the order of `state`."""
        pairs = (*self._in_order(), *self.publishers, *self._presence)
        return [link.spells for _, link in pairs]

    @property
    def brokers(self) -> dict[str, Broker]:
        """Those of the plan by name."""
        return self._brokers

    def views(self) -> list[RuleView]:
        """Each rule with its connection and its lanes, in their order."""
        return [
            RuleView(subscriber.rule.plan, subscribing(subscriber, link), _views(subscriber.rule))
            for subscriber, link in self._in_order()
        ]

    def lanes(self) -> list[tuple[str, str, LaneView]]:
        """What waits for functions: the rule's name, the function's, how much."""
        return [
            (subscriber.rule.plan.name, lane.plan.function, lane.view())
            for subscriber, _ in self._in_order()
            for lane in subscriber.rule.lanes
        ]

    def _use(self, plan: MqttPlan, brokers: dict[str, Broker]) -> None:
        self._plan, self._brokers = plan, brokers
        self.publishers.brokers = brokers

    def _build(self) -> None:
        for target in self._plan.targets:
            self.publishers.get(target.broker, target.client_id)
        for rule in self._plan.rules:
            self._subscribe(rule)

    def _subscribe(self, plan: RulePlan) -> None:
        key = plan.sub_broker, plan.sub_client_id
        outlet = self.publishers.outlet(plan)
        if key in self._subscribers:
            self._subscribers[key][0].rule.update(plan, outlet)
            return
        broker = self._brokers[plan.sub_broker]
        rule = Rule(plan, outlet, self._parts)
        self._memory.teach(plan.session, rule.repeats)
        subscriber = Subscriber(rule, broker, self._parts, self._memory.earlier(plan.session))
        link = self._link(
            Identity(broker, plan.sub_client_id, persistent=True, shared=plan.shared), subscriber
        )
        self._subscribers[key] = subscriber, link
        if self._started:
            rule.succeed()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._ticking = loop.call_later(TICK, self._tick)
        now = loop.time()
        for subscriber, _ in self._subscribers.values():
            subscriber.tick(now)
            self._burials.begin(subscriber.rule.left())
        self.publishers.keep(now)

    def _link(self, identity: Identity, peer: Peer) -> Link:
        link = Link(identity, peer, self._threads)
        if self._started:
            link.start()
        return link

    def _kept(self, plan: BrokerPlan) -> Broker | None:
        known = self._brokers.get(plan.name)
        return known if known is not None and known.plan == plan else None

    async def _leave(self, staying: set[Subscription], plan: MqttPlan) -> None:
        following = {(rule.sub_broker, rule.sub_client_id): rule for rule in plan.rules}
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
            self._memory.keep(subscriber.session, subscriber.rule.repeats)
            self._burials.begin(subscriber.rule.lane_names - lane_names(plan))
        if leaving:
            # Whoever follows reads what is left, and nothing of what is done.
            await self._burials.wait_for_disk()

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
        for _, link in (*self._subscribers.values(), *self.publishers):
            yield link


def _views(rule: Rule) -> tuple[LaneView, ...]:
    return tuple(lane.view() for lane in rule.lanes)


def _sub_process(rule: RulePlan, number: int) -> str:
    if rule.sub_process is not None:
        return f"sub_process_{rule.sub_process}_{number}"
    function, position = rule.functions[number]
    return f"sub_process_{rule.sub_broker}_{function}_{position}"


def _subscription(rule: RulePlan) -> Subscription:
    care = rule.care
    where = rule.sub_broker, rule.sub_client_id, rule.topic_filter
    return *where, rule.retained, care.order, care.latest
