"""A bridge at work: polls its source at a rate, and publishes each record as it is, for ever."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from runtime.backoff import Backoff
from runtime.ratelimit import RateLimit
from triggers.bridge.brokers import Brokers
from triggers.bridge.buffer import Buffer
from triggers.bridge.plan import BridgePlan
from triggers.bridge.source import HttpSource, SourceError
from triggers.mqtt.link import Identity, Link
from triggers.mqtt.messages import Outgoing
from triggers.mqtt.publisher import Publisher

logger = logging.getLogger(__name__)

# Records handed to the connection; the rest waits in the buffer, whose bounds are ours.
UNCONFIRMED = 4
DRAIN_TIMEOUT = 5.0
DRAIN_TICK = 0.02


@dataclass(frozen=True)
class BridgeState:
    """How a bridge is doing; `published` are confirmed, `waiting` are not yet, `dropped` never were."""

    name: str
    connected: bool
    published: int
    waiting: int
    dropped: int
    refused: int
    source_error: str | None
    broker_error: str | None


class Bridge:
    """From an HTTP source into an MQTT topic. Raises ValueError when an address of the plan is none."""

    def __init__(self, plan: BridgePlan, rate: RateLimit) -> None:
        self.plan = plan
        self._rate = rate
        self._buffer = Buffer()
        self._publisher = Publisher()
        self._threads = ThreadPoolExecutor(1, "bridge-connect")
        broker = Brokers(f"bridge {plan.name}", plan.target)
        self._link = Link(
            Identity(broker, plan.target.client_id, persistent=False), self._publisher, self._threads
        )
        self._backoff = Backoff()
        self._source_error: str | None = None
        self._refused = 0
        self._dropped_before = 0
        self._source: HttpSource | None = None
        self._task: asyncio.Task[None] | None = None

    async def setup(self) -> None:
        """Build what asks the source; nothing is connected yet."""
        self._source = HttpSource(self.plan.source)

    async def start(self) -> None:
        """Begin to poll and to connect; returns at once, whether or not source and broker are there."""
        assert self._source is not None, "set up first"
        self._link.start()
        self._task = asyncio.create_task(self._run(self._source), name=f"bridge {self.plan.name}")
        self._task.add_done_callback(self._say_end)

    async def stop(self) -> None:
        """Poll no more, give a broker that is there up to 5 s to take what waits, and disconnect."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._drain()
        await self._link.stop()
        if self._source is not None:
            await self._source.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def state(self) -> BridgeState:
        """As it is now."""
        return BridgeState(
            name=self.plan.name,
            connected=self._link.connected,
            published=self._publisher.published,
            waiting=self._waiting,
            dropped=self._buffer.dropped,
            refused=self._refused,
            source_error=self._source_error,
            broker_error=self._link.last_error,
        )

    @property
    def _waiting(self) -> int:
        return len(self._buffer) + len(self._publisher)

    async def _run(self, source: HttpSource) -> None:
        while True:
            await self._rate.wait()
            try:
                record = await source.fetch()
            except SourceError as error:
                self._say_down(str(error))
                self._backoff.fail()
                await asyncio.sleep(self._backoff.seconds)
            else:
                self._say_up()
                self._take(record)

    def _take(self, record: bytes) -> None:
        if not record:
            return
        dropped = self._buffer.dropped
        self._buffer.put(record)
        if self._buffer.dropped > dropped == self._dropped_before:
            logger.warning("bridge %s: the buffer is full, the oldest records are dropped", self.plan.name)
        self._pump()

    def _pump(self) -> None:
        target = self.plan.target
        while self._buffer and len(self._publisher) < UNCONFIRMED:
            record = self._buffer.take()
            self._publisher.send(Outgoing(target.topic, record, target.qos, retain=False, done=self._done))

    def _done(self, error: str | None) -> None:
        if error is not None:
            self._refused += 1
            logger.warning("bridge %s: a record is not published: %s", self.plan.name, error)
        # Not at once: the publisher is in the middle of its own work.
        asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._pump()
        self._say_drained()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + DRAIN_TIMEOUT
        # Polled, since a lost connection must end the wait as well.
        while self._waiting and self._link.connected and loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(DRAIN_TICK)
        if self._waiting:
            logger.warning("bridge %s: %d records are not published", self.plan.name, self._waiting)

    def _say_down(self, reason: str) -> None:
        if reason != self._source_error:
            place = self.plan.source.place
            logger.warning(
                "bridge %s: %s: %s; trying again until it works",
                (name := self.plan.name),
                place,
                reason,
                extra={"event": "bridge.down", "bridge": name},
            )
        self._source_error = reason

    def _say_up(self) -> None:
        self._backoff.succeed()
        if self._source_error is not None:
            name, place = self.plan.name, self.plan.source.place
            logger.info(
                "bridge %s: %s answers again", name, place, extra={"event": "bridge.up", "bridge": name}
            )
        self._source_error = None

    def _say_drained(self) -> None:
        dropped = self._buffer.dropped - self._dropped_before
        if dropped and not self._buffer:
            logger.warning("bridge %s: %d records were dropped", self.plan.name, dropped)
            self._dropped_before = self._buffer.dropped

    def _say_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            logger.critical("bridge %s: gave up for good", self.plan.name, exc_info=task.exception())
