"""A publisher over a real store, and the broker that it believes to be connected to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from tests.delivery.clocked import advance
from tests.delivery.lanes import Sender, store_in
from tests.mqtt.clients import until
from triggers.mqtt.connack import Limits
from triggers.mqtt.messages import Outgoing, Told
from triggers.mqtt.outbox import Outbox
from triggers.mqtt.publisher import Publisher
from triggers.store.rows import Letter
from triggers.store.store import DeliveryStore, LetterQuery, StoreLimits

TARGET = "b2/out"
OK = ReasonCode(PacketTypes.PUBACK, "Success")
NOT_AUTHORIZED = ReasonCode(PacketTypes.PUBACK, "Not authorized")


class StubConnection:
    """Takes what it is given, with a window of `room`."""

    alive = True
    writing = False

    def __init__(self, room: int = 1000) -> None:
        self.limits = Limits(in_flight=room)
        self.sent: list[bytes] = []
        self.confirmed = 0

    def publish(self, topic: str, payload: bytes, flags: Any, properties: Any) -> int:
        self.sent.append(payload)
        return len(self.sent)


class Target:
    """A publisher, its connection, and what became of each result."""

    def __init__(self, store: DeliveryStore, name: str = TARGET) -> None:
        self.store = store
        self.publisher = Publisher(Outbox(name, store))
        self.connection: StubConnection | None = None
        self.ended: dict[bytes, str | None] = {}
        self.origins: dict[bytes, Sender] = {}

    def send(self, payloads: list[bytes], **more: Any) -> None:
        """Publish results of events that are in memory."""
        for payload in payloads:
            self.origins[payload] = origin = Sender()
            told = Told("r1", "echo", f"event-{payload[:4].decode()}")
            done = partial(self.ended.__setitem__, payload)
            self.publisher.send(Outgoing("out", payload, 1, False, told, done, origin=origin, **more))

    def connect(self, room: int = 1000) -> StubConnection:
        self.connection = StubConnection(room)
        self.publisher.opened(self.connection, False)  # type: ignore[arg-type]
        return self.connection

    def disconnect(self) -> None:
        assert self.connection is not None
        self.connection.alive = False
        self.publisher.closed()

    def confirm(self, count: int = 1, reason: ReasonCode = OK) -> None:
        """The broker answers the next `count` results that were sent."""
        assert self.connection is not None
        for _ in range(count):
            self.connection.confirmed += 1
            self.publisher.confirmed(self.connection.confirmed, reason)

    def confirm_all(self) -> bool:
        """Answer all that were sent by now; whether nothing is left."""
        assert self.connection is not None
        self.confirm(len(self.connection.sent) - self.connection.confirmed)
        return not len(self.publisher)

    def keep(self, later: float = 0.3) -> None:
        """Let some time pass, and the tick of it."""
        advance(later)
        self.publisher.keep(asyncio.get_running_loop().time())

    async def kept(self, payloads: list[bytes]) -> None:
        """Keep, and wait until these results stand on disk."""
        self.keep()
        await until(lambda: all(each in self.ended for each in payloads), "they stand on disk")

    async def rows(self) -> list[bytes]:
        """What stands on disk once all that was submitted is."""
        await self.store.submit()
        name = self.publisher.outbox.target if self.publisher.outbox else ""
        return [row.payload for row in await self.store.read_results(name, 0, 100_000)]

    async def letters(self) -> list[tuple[str, bytes]]:
        """Kinds and bodies of the dead letters, oldest first."""
        return [(each.kind, each.body) for each in await self.whole_letters(LetterQuery(limit=10_000))][::-1]

    async def whole_letters(self, query: LetterQuery) -> list[Letter]:
        """The dead letters once all that was submitted is there, newest first."""
        await self.store.submit()
        return await self.store.letters(query)


@asynccontextmanager
async def target_in(folder: Path, limits: StoreLimits | None = None) -> AsyncIterator[Target]:
    async with store_in(folder, limits) as store:
        yield Target(store)
