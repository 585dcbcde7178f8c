"""All publishing connections: one per broker and client id, however many rules share it."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from triggers.delivery.keeping import Keeping
from triggers.mqtt.broker import Broker
from triggers.mqtt.link import Identity, Link
from triggers.mqtt.outbox import Outbox
from triggers.mqtt.peer import Peer
from triggers.mqtt.plan import RulePlan, Target
from triggers.mqtt.publisher import Publisher
from triggers.mqtt.results import Outlet

logger = logging.getLogger(__name__)

REPLY = "-reply"

Key = tuple[str, str]
Pair = tuple[Publisher, Link]


class Publishers:
    """Makes them when they are first asked for; `brokers` and what `link` makes are the trigger's."""

    def __init__(self, keeping: Keeping, link: Callable[[Identity, Peer], Link]) -> None:
        self.brokers: Mapping[str, Broker] = {}
        self._store = keeping.store
        self._failpoints = keeping.failpoints
        self._link = link
        self._pairs: dict[Key, Pair] = {}

    def __iter__(self) -> Iterator[Pair]:
        return iter(list(self._pairs.values()))

    def get(self, broker: str, client_id: str) -> Publisher:
        """The one publisher of this broker and client id."""
        known = self._pairs.get((broker, client_id))
        if known is not None:
            return known[0]
        publisher = Publisher(Outbox(f"{broker}/{client_id}", self._store), self._failpoints)
        link = self._link(Identity(self.brokers[broker], client_id, persistent=False), publisher)
        self._pairs[broker, client_id] = publisher, link
        return publisher

    def outlet(self, plan: RulePlan) -> Outlet:
        """Where the results of a rule go."""
        return Outlet(
            plan.name,
            plan.pub_topic,
            plan.timeout,
            self.brokers[plan.pub_broker].plan,
            self.get(plan.pub_broker, plan.pub_client_id),
            source=plan.sub_topic,
            reply=partial(self._reply, plan),
            errors=self.get(plan.error.broker, plan.error.client_id) if plan.error else None,
            error_topic=plan.error.topic if plan.error else "",
        )

    def outlet_to(self, target: Target, name: str, timeout: float) -> Outlet:
        """Where the results of the timer `name` go; `timeout` is in seconds from sending to confirmation."""
        publisher = self.get(target.broker, target.client_id)
        return Outlet(name, target.topic, timeout, self.brokers[target.broker].plan, publisher)

    def wake(self, name: str) -> bool:
        """Rows were added for the target `name`; False when nobody publishes there."""
        for publisher, _ in self:
            if _target_of(publisher) == name:
                publisher.wake()
                return True
        return False

    def keep(self, now: float) -> None:
        """Put on disk what waits too long."""
        for publisher, _ in self:
            publisher.keep(now)

    async def flush(self, limit: float) -> None:
        """Put all on disk that no broker has confirmed; gives up after `limit` seconds."""
        now = asyncio.get_running_loop().time()
        writing = [future for publisher, _ in self for future in publisher.keep(now, -1, -1)]
        if writing:
            await asyncio.wait(writing, timeout=limit)

    async def retire(self, brokers: set[str]) -> list[Pair]:
        """Disconnect those of these brokers; what they have left is for `place`."""
        return await self._end([key for key in self._pairs if key[0] in brokers])

    async def retire_unused(self, rules: tuple[RulePlan, ...], targets: tuple[Target, ...]) -> list[Pair]:
        """Disconnect those that none of these publishes through any more."""
        wanted = {(each.broker, each.client_id) for rule in rules for each in rule.targets}
        wanted |= {(rule.sub_broker, f"{rule.sub_client_id}{REPLY}") for rule in rules}
        wanted |= {(each.broker, each.client_id) for each in targets}
        return await self._end([key for key in self._pairs if key not in wanted])

    async def place(self, retired: list[Pair]) -> None:
        """Give what those have left to others of their brokers; without one it becomes dead letters."""
        for publisher, link in retired:
            await self._place(publisher, link.identity.broker.plan.name, link.identity.client_id)

    async def adopt_orphans(self) -> None:
        """Place what an earlier life of the host has left for targets that nobody publishes to now."""
        there = {_target_of(publisher) for publisher, _ in self}
        for target in [name for name in self._store.targets if name not in there]:
            logger.warning("mqtt: results wait for %s, through which nobody publishes now", target)
            broker, _, client_id = target.partition("/")
            await self._place(Publisher(Outbox(target, self._store)), broker, client_id)

    async def _place(self, publisher: Publisher, broker: str, client_id: str) -> None:
        successor = self._successor(broker, client_id)
        if successor is not None:
            publisher.hand_over(successor)
        else:
            await publisher.give_up(f"the config has no rule or timer any more that publishes to {broker}")

    def _successor(self, broker: str, client_id: str) -> Publisher | None:
        same = self._pairs.get((broker, client_id))
        beside = (pair for key, pair in self._pairs.items() if key[0] == broker)
        pair = same or next(beside, None)
        if pair is None and client_id.endswith(REPLY) and broker in self.brokers:
            # Answers to requests are all that goes there, and the next request has not come yet.
            return self.get(broker, client_id)
        return pair[0] if pair is not None else None

    async def _end(self, keys: list[Key]) -> list[Pair]:
        ended = [self._pairs.pop(key) for key in keys]
        await asyncio.gather(*(link.stop() for _, link in ended))
        return ended

    def _reply(self, plan: RulePlan) -> Publisher:
        """Answers to a response topic go to the broker of the request; made for the first of them."""
        if plan.sub_broker == plan.pub_broker:
            return self.get(plan.pub_broker, plan.pub_client_id)
        return self.get(plan.sub_broker, f"{plan.sub_client_id}{REPLY}")


def _target_of(publisher: Publisher) -> str:
    return publisher.outbox.target if publisher.outbox is not None else ""
