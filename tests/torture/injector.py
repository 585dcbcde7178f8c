"""Does the faults: each to one part of the stage, several at a time when they are of different parts."""

import asyncio
import random
from collections import defaultdict
from contextlib import suppress

import psutil

from tests.brokers import Broker
from tests.torture.faults import CLOCK, DISK, HOST, INSTANCE, QUOTA, Fault
from tests.torture.proxy import Proxy
from tests.torture.stage import Stage


class Injector:
    """A fault waits for the one before it on the same part to be over."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self._stage = stage
        self._rng = random.Random(seed)
        self._parts: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.restarting = False
        self.reds = 0

    async def inject(self, fault: Fault) -> None:
        """Let it happen, and wait until it is over."""
        loop = asyncio.get_running_loop()
        async with self._parts[_part(fault.kind)]:
            fault.begin = loop.time()
            await self._do(fault)
            fault.end = loop.time()

    async def _do(self, fault: Fault) -> None:
        if fault.kind == HOST:
            await self._kill_host(fault.seconds)
        elif fault.kind == INSTANCE:
            await asyncio.to_thread(self._kill_instance)
        elif fault.kind == DISK:
            await self._fill_disk(fault.seconds)
        elif fault.kind == QUOTA:
            await self._fill_quota(fault.seconds)
        elif fault.kind == CLOCK:
            self._stage.clock.move(fault.size)
        else:
            await self._harm_broker(fault)

    async def _kill_host(self, seconds: float) -> None:
        self.restarting = True
        await asyncio.to_thread(self._stage.host.kill)
        self._stage.ledger.deaths.append(asyncio.get_running_loop().time())
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._stage.host.start)
        self.restarting = False

    def _kill_instance(self) -> None:
        arbiters = psutil.Process(self._stage.host.process.pid).children()
        instances = [each for arbiter in arbiters for each in arbiter.children()]
        # None while the pool starts: then its arbiter is what can be killed.
        victims = instances or arbiters
        if victims:
            self._rng.choice(victims).kill()

    async def _fill_disk(self, seconds: float) -> None:
        await asyncio.to_thread(self._stage.disk.fill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._stage.disk.free)

    async def _fill_quota(self, seconds: float) -> None:
        """The results' broker stays away until the host takes no more, or until the time is over."""
        await asyncio.to_thread(self._stage.target.stop)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._see_red()
        await asyncio.to_thread(self._stage.target.start)

    async def _see_red(self) -> None:
        while not await asyncio.to_thread(self._stage.is_red):  # noqa: ASYNC110 - the host is asked, and says
            await asyncio.sleep(0.1)
        self.reds += 1

    async def _harm_broker(self, fault: Fault) -> None:
        side, _, way = fault.kind.partition(".")
        source = side == "source"
        if way == "stop":
            await _restart(self._stage.source if source else self._stage.target, fault.seconds)
        else:
            await _harm(self._stage.source_proxy if source else self._stage.target_proxy, way, fault)


def _part(kind: str) -> str:
    side, _, way = kind.partition(".")
    # An instance is looked for in a host that runs.
    if kind in (INSTANCE, QUOTA):
        return "host" if kind == INSTANCE else "target"
    return side if way in ("kill", "stop") else f"{side}.way"


async def _restart(broker: Broker, seconds: float) -> None:
    await asyncio.to_thread(broker.stop)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(broker.start)


async def _harm(proxy: Proxy, way: str, fault: Fault) -> None:
    if way == "delay":
        proxy.delay = fault.size
    elif way == "tear":
        proxy.tear()
    elif way in ("hold", "blackhole"):
        proxy.hold()
    await asyncio.sleep(fault.seconds)
    proxy.delay = 0.0
    proxy.mend()
    if way in ("cut", "blackhole"):
        proxy.reset()
    proxy.release()
