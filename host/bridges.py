"""Gives bridges their place: in the host, from its config, and alone, from a file of their own."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import uvloop

from conf.bridge import BridgeConfig, BridgeFile, Rate
from conf.observing import Log
from host.health import Check
from host.lifecycle import Part
from host.logs.host_log import HostLog
from host.signals import told_to_stop
from runtime.events import new_id
from runtime.ratelimit import RateLimit
from triggers.bridge.plan import BridgePlan, SourcePlan, TargetPlan

if TYPE_CHECKING:
    from triggers.bridge.bridge import Bridge, BridgeState

logger = logging.getLogger(__name__)


class BridgesPart(Part):
    """The bridges of the config; they start after its rules and stop before them."""

    name = "bridges"
    priority = 600

    def __init__(self, bridges: Iterable[BridgeConfig], rates: Iterable[Rate]) -> None:
        limits = make_limits(rates)
        self._bridges = [make_bridge(each, limits) for each in bridges]

    async def apply(self, bridges: Iterable[BridgeConfig], rates: Iterable[Rate]) -> None:
        """Run these bridges instead; what the old ones have read is published first."""
        await self.stop()
        limits = make_limits(rates)
        self._bridges = [make_bridge(each, limits) for each in bridges]
        await self.setup()
        await self.start()

    async def setup(self) -> None:
        """Set each up."""
        for bridge in self._bridges:
            await bridge.setup()

    async def start(self) -> None:
        """Begin to poll; sources and brokers that are down are waited for."""
        for bridge in self._bridges:
            await bridge.start()

    async def stop(self) -> None:
        """Poll no more, publish what was read."""
        await asyncio.gather(*(bridge.stop() for bridge in self._bridges))

    def state(self) -> "list[BridgeState]":
        """Each of them with its counters."""
        return [bridge.state() for bridge in self._bridges]

    def plans(self) -> list[BridgePlan]:
        """What each of them is to do, in the same order."""
        return [bridge.plan for bridge in self._bridges]

    def checks(self) -> list[Check]:
        """A bridge that stands still is worth knowing, and no reason to send HTTP callers elsewhere."""
        return [_check(bridge) for bridge in self._bridges]


def run_bridge(name: str, file: BridgeFile) -> None:
    """Run the bridge of a file, called `name` in logs, until SIGTERM or SIGINT."""
    log = HostLog()
    log.open(Log())
    try:
        uvloop.run(_run(name, file, log))
    finally:
        log.close()


async def _run(name: str, file: BridgeFile, log: HostLog) -> None:
    config = BridgeConfig(name=name, input=file.input, output=file.output)
    bridge = make_bridge(config, make_limits(file.rate_limit_resources))
    await bridge.setup()
    await bridge.start()
    plan = bridge.plan
    logger.info("bridge %s: from %s to %s", name, plan.source.place, plan.target.topic)
    telling = asyncio.create_task(log.keep_telling())
    await told_to_stop()
    telling.cancel()
    await bridge.stop()


def make_limits(rates: Iterable[Rate]) -> dict[str, RateLimit]:
    """One limit per label, shared by all that name it."""
    return {rate.label: make_limit(rate) for rate in rates}


def make_limit(rate: Rate) -> RateLimit:
    """The limit that a block of the config describes."""
    return RateLimit(rate.local.count, rate.local.interval)


def make_bridge(config: BridgeConfig, limits: Mapping[str, RateLimit]) -> "Bridge":
    """The bridge that an entry of the config describes; needs a running event loop."""
    # Only who has bridges pays for httpx: a tenth of the time to start, and some MiB.
    from triggers.bridge.bridge import Bridge

    source, target = config.input.http_client, config.output.mqtt
    client_id = target.client_id or f"fnhost-bridge-{new_id()[:8]}"
    plan = BridgePlan(
        config.name,
        SourcePlan(source.url, source.verb),
        TargetPlan(target.urls, target.topic, client_id, target.qos),
    )
    limit = RateLimit(1, 1.0) if source.rate_limit is None else limits[source.rate_limit]
    return Bridge(plan, limit)


def _check(bridge: "Bridge") -> Check:
    state = bridge.state()
    broker = "" if state.connected else state.broker_error or "not connected yet"
    why = broker or state.source_error or ""
    return Check(f"bridge {state.name}", not why, why, required=False)
