"""Keeps one client id connected to its broker: connects, waits with jitter, and tries again for ever."""

import asyncio
import logging
import time
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from paho.mqtt import MQTTException

from triggers.mqtt.broker import Broker, Will
from triggers.mqtt.connack import RefusedError
from triggers.mqtt.connection import Connection
from triggers.mqtt.faults import Fault, fault_of
from triggers.mqtt.ladder import Delays, Ladder, Retry
from triggers.mqtt.opening import find_version, open_connection
from triggers.mqtt.peer import Peer
from triggers.mqtt.spells import Spells

logger = logging.getLogger(__name__)

# Seconds between two looks at whether the peer is ready for another connection.
READY_TICK = 0.1


@dataclass(frozen=True)
class Identity:
    """Who connects where; whether the broker keeps the session while it is away; the last will.

    A `shared` one connects only to a broker that is proven to honour shared subscriptions.
    """

    broker: Broker
    client_id: str
    persistent: bool
    will: Will | None = None
    shared: bool = False


class Link:
    """A connection that is renewed whenever it is lost; each renewal is a new `Connection`.

    `next_try` is when it is tried again, in seconds since the epoch, while nothing else is done.
    """

    def __init__(
        self, identity: Identity, peer: Peer, threads: Executor, delays: Delays | None = None
    ) -> None:
        self.identity = identity
        self.connection: Connection | None = None
        self.last_error: str | None = None
        self.reconnects = 0
        self.spells = Spells()
        self.next_try: float | None = None
        self._name = f"mqtt {identity.broker.plan.name} as {identity.client_id}"
        self._peer = peer
        self._threads = threads
        self._ladder = Ladder(delays or Delays())
        self._said: str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted and nothing has failed since."""
        return self.connection is not None and self.connection.alive

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._task = asyncio.create_task(self._run(), name=self._name)
        self._task.add_done_callback(self._say_end)

    async def stop(self) -> None:
        """Disconnect, after what waits to be written has been."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.connection is not None:
            if self.connection.alive:
                self._peer.leaving(self.connection)
            await self.connection.close()

    async def _run(self) -> None:
        while True:
            # Polled, so that no peer must keep a list of who waits for it.
            while not self._peer.ready():  # noqa: ASYNC110
                await asyncio.sleep(READY_TICK)
            delay = await self._live()
            self.next_try = time.time() + delay
            await asyncio.sleep(delay)
            self.next_try = None

    async def _live(self) -> float:
        """One connection from beginning to end; returns the seconds to wait before the next."""
        broker = self.identity.broker
        asked = broker.version
        try:
            connection = await self._connect()
        except (OSError, ValueError, IndexError, MQTTException) as error:
            # Name look-up, TCP, TLS, refusals; paho's websocket handshake stumbles over odd answers.
            if isinstance(error, RefusedError) and error.unsupported_version and broker.fall_back(asked):
                return 0
            fault = fault_of(error, broker.plan)
            self._say_unable(fault)
            return self._ladder.delay(fault.retry, 0)
        return await self._stay(connection)

    async def _stay(self, connection: Connection) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._say_up()
        fault = await asyncio.shield(connection.closed)
        lived = loop.time() - began
        if self._ladder.stable(lived):
            self._said = None
        self.spells.down(fault.text)
        self._say_down(fault.text)
        self.reconnects += 1
        return self._ladder.delay(fault.retry, lived)

    async def _connect(self) -> Connection:
        identity = self.identity
        await find_version(identity.broker, self._threads)
        if identity.shared:
            await identity.broker.sharing.prove(self._open_clean)
        connect = partial(identity.broker.connect, persistent=identity.persistent, will=identity.will)
        own = partial(connect, identity.client_id)
        ear = identity.broker.ear(identity.client_id)
        self.connection = await open_connection(own, self._threads, self._peer, ear)
        return self.connection

    async def _open_clean(self, client_id: str, peer: Peer) -> Connection:
        connect = partial(self.identity.broker.connect, client_id, persistent=False)
        return await open_connection(connect, self._threads, peer)

    def _say_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            fields = self._fields("connection.lost")
            logger.critical("%s: gave up for good", self._name, exc_info=task.exception(), extra=fields)

    def _fields(self, event: str) -> dict[str, object]:
        identity = self.identity
        return {"event": event, "broker": identity.broker.plan.name, "client_id": identity.client_id}

    def _say_up(self) -> None:
        self.last_error = None
        self.spells.up()
        self.identity.broker.said.clear()
        version = "5" if self.identity.broker.speaks_5 else "3.1.1"
        fields = {**self._fields("connection.up"), "version": version}
        logger.info("%s: connected with MQTT %s", self._name, version, extra=fields)

    def _say_unable(self, fault: Fault) -> None:
        """What somebody must mend holds for all connections to the broker, so it is said once for all."""
        self.spells.down(fault.text)
        if fault.retry is not Retry.SLOW:
            self._say_down(fault.text)
            return
        broker = self.identity.broker
        self.last_error = fault.text
        if fault.text not in broker.said:
            broker.said.add(fault.text)
            fields = self._fields("connection.refused")
            name = broker.plan.name
            logger.warning("mqtt %s: %s; tried again every half minute", name, fault.text, extra=fields)

    def _say_down(self, reason: str) -> None:
        if reason != self._said:
            fields = self._fields("connection.down")
            logger.warning("%s: %s; trying again until it works", self._name, reason, extra=fields)
        self._said = self.last_error = reason
