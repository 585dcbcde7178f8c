"""Publishes numbered events at QoS 1 and counts those that the broker has acknowledged."""

import asyncio

from tests.torture.ledger import Event, Ledger
from tests.torture.packets import PUBACK, Packet, publish
from tests.torture.session import Session

WINDOW = 500
MIDS = 65535


class Publisher:
    """Keeps what is not acknowledged, and publishes it again, in order, over the next connection."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        self._ledger = ledger
        self._session = Session(port, "torture-publisher", self)
        self._open: dict[int, Event] = {}
        self._mid = 0
        self._room = asyncio.Event()
        self._room.set()

    def start(self) -> None:
        """Begin to connect."""
        self._session.start()

    async def stop(self) -> None:
        """Hang up."""
        await self._session.stop()

    @property
    def waiting(self) -> int:
        """Events that are not acknowledged yet."""
        return len(self._open)

    async def publish(self, event: Event) -> None:
        """Publish, now or when the broker is back; waits while too many are not acknowledged."""
        await self._room.wait()
        self._mid = self._mid % MIDS + 1
        self._open[self._mid] = event
        if len(self._open) >= WINDOW:
            self._room.clear()
        event.sent = asyncio.get_running_loop().time()
        self._ledger.add(event)
        self._send(self._mid, event)

    def opened(self, session_present: bool) -> None:
        """Publish again what was not acknowledged."""
        for mid, event in self._open.items():
            self._send(mid, event)

    def received(self, packet: Packet) -> None:
        """The broker has an event, or says why it does not take it."""
        if packet.kind != PUBACK:
            return
        if len(packet.body) > 2 and packet.body[2] >= 0x80:
            raise ConnectionError(f"the broker would not take an event: {packet.body[2]:#x}")
        event = self._open.pop(int.from_bytes(packet.body[:2], "big"), None)
        if event is not None:
            self._ledger.count(event, asyncio.get_running_loop().time())
        self._room.set()

    def _send(self, mid: int, event: Event) -> None:
        data = publish(event.topic, mid, event.payload(), again=event.copies > 0)
        event.copies += self._session.send(data)
