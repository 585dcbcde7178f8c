"""Keeps one client id connected to its broker: connects, waits with jitter, and tries again for ever."""

import asyncio
import logging
import random
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from paho.mqtt import MQTTException
from paho.mqtt.client import Client

from triggers.mqtt.broker import Broker
from triggers.mqtt.connack import RefusedError
from triggers.mqtt.connection import Connection
from triggers.mqtt.peer import Peer

logger = logging.getLogger(__name__)

FIRST_DELAY = 1.0
LONGEST_DELAY = 30.0
# A connection that lived shorter does not reset the delay: two clients with one id would race for it.
STABLE_AFTER = 10.0


@dataclass(frozen=True)
class Identity:
    """Who connects where, and whether the broker keeps the session while it is away."""

    broker: Broker
    client_id: str
    persistent: bool


class Link:
    """A connection that is renewed whenever it is lost; each renewal is a new `Connection`."""

    def __init__(self, identity: Identity, peer: Peer, threads: Executor) -> None:
        self.identity = identity
        self.connection: Connection | None = None
        self.last_error: str | None = None
        self.reconnects = 0
        self._name = f"mqtt {identity.broker.plan.name} as {identity.client_id}"
        self._peer = peer
        self._threads = threads
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
            await self.connection.close()

    async def _run(self) -> None:
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            again = await self._live()
            attempt = 0 if loop.time() - began > STABLE_AFTER else attempt
            if not again:
                await asyncio.sleep(_delay(attempt))
                attempt += 1

    async def _live(self) -> bool:
        """One connection from beginning to end; True when another one should be tried at once."""
        try:
            connection = await self._connect()
        except RefusedError as error:
            if error.unsupported_version and self.identity.broker.fall_back():
                return True
            self._say_down(f"refused: {error}")
            return False
        except (OSError, ValueError, IndexError, MQTTException) as error:
            # Name look-up, TCP and TLS; paho's websocket handshake stumbles over odd answers.
            self._say_down(str(error) or type(error).__name__)
            return False
        self._say_up()
        self._say_down(await asyncio.shield(connection.closed))
        self.reconnects += 1
        return False

    async def _connect(self) -> Connection:
        identity = self.identity
        if not identity.broker.version_known:
            await self._probe(identity.broker)
        connect = partial(identity.broker.connect, identity.client_id, persistent=identity.persistent)
        self.connection = await self._open(connect, self._peer)
        return self.connection

    async def _probe(self, broker: Broker) -> None:
        try:
            connection = await self._open(broker.probe, Peer())
        except RefusedError as error:
            if error.unsupported_version:
                raise
        else:
            await connection.close()
        broker.version_known = True

    async def _open(self, connect: Callable[[], Client], peer: Peer) -> Connection:
        client = await asyncio.get_running_loop().run_in_executor(self._threads, connect)
        connection = Connection(client, peer)
        await connection.open()
        return connection

    def _say_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled():
            logger.critical("%s: gave up for good", self._name, exc_info=task.exception())

    def _say_up(self) -> None:
        self.last_error = None
        version = "5" if self.identity.broker.speaks_5 else "3.1.1"
        logger.info("%s: connected with MQTT %s", self._name, version)

    def _say_down(self, reason: str) -> None:
        if reason != self.last_error:
            logger.warning("%s: %s; trying again until it works", self._name, reason)
        self.last_error = reason


def _delay(attempt: int) -> float:
    """Seconds to wait: full jitter below 1, 2, 4 … 30 s, so that many clients do not come back as one."""
    longest = min(FIRST_DELAY * 2 ** min(attempt, 5), LONGEST_DELAY)
    return random.uniform(0.05, longest)  # noqa: S311 - spreads load, guards nothing
