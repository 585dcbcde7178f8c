"""The connections that tell brokers whether this host is online: one for each broker with a status topic."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace

from triggers.mqtt.broker import Broker
from triggers.mqtt.link import Identity, Link
from triggers.mqtt.plan import MqttPlan
from triggers.mqtt.status import Status

SUFFIX = "-status"


class Presence:
    """Follows the plan. Its client ids come from the rules', so that no two hosts share one."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._links: dict[str, tuple[Status, Link]] = {}

    def __iter__(self) -> Iterator[tuple[Status, Link]]:
        """Who says it, and over which connection, in the order of the brokers."""
        return iter(self._links.values())

    async def follow(self, plan: MqttPlan, brokers: Mapping[str, Broker]) -> None:
        """Begin to be online where `plan` has a status topic, and end it elsewhere."""
        wanted = dict(_wanted(plan, brokers))
        kept = {name: pair for name, pair in self._links.items() if _same(pair[1], wanted.get(name))}
        ended = [link for name, (_, link) in self._links.items() if name not in kept]
        self._links = kept
        # First the old ones: what is said last stays.
        await asyncio.gather(*(link.stop() for link in ended))
        self._links = {name: kept.get(name) or self._begin(each) for name, each in wanted.items()}

    async def stop(self) -> None:
        """Be offline everywhere."""
        links, self._links = self._links, {}
        await asyncio.gather(*(link.stop() for _, link in links.values()))

    def _begin(self, identity: Identity) -> tuple[Status, Link]:
        status = Status(identity.broker.plan.status or "")
        link = Link(replace(identity, will=status.will), status, self._threads)
        link.start()
        return status, link


def _wanted(plan: MqttPlan, brokers: Mapping[str, Broker]) -> Iterator[tuple[str, Identity]]:
    for name, broker in brokers.items():
        used = [target.client_id for rule in plan.rules for target in rule.targets if target.broker == name]
        used += [rule.sub_client_id for rule in plan.rules if rule.sub_broker == name]
        if broker.plan.status is not None and used:
            yield name, Identity(broker, f"{used[0]}{SUFFIX}", persistent=False)


def _same(link: Link, wanted: Identity | None) -> bool:
    here = link.identity
    return wanted is not None and here.broker is wanted.broker and here.client_id == wanted.client_id
