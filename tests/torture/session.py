"""A client with a session that its broker keeps; it comes back within moments, for as long as it runs."""

import asyncio
from contextlib import suppress
from typing import Protocol

from tests.torture.packets import CONNACK, Packet, Splitter, connect

PAUSE = 0.05
TIMEOUT = 10.0


class Owner(Protocol):
    """Who hears what comes."""

    def opened(self, session_present: bool) -> None:
        """The broker has accepted a new connection."""

    def received(self, packet: Packet) -> None:
        """A packet came."""


class Session:
    """Connects to a loopback port, again and again, always with the same client id."""

    def __init__(self, port: int, client_id: str, owner: Owner) -> None:
        self._port = port
        self._client_id = client_id
        self._owner = owner
        self._writer: asyncio.StreamWriter | None = None
        self._accepted = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Hang up for good."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def send(self, data: bytes) -> bool:
        """Write; returns False when there is no connection to write to."""
        if self._writer is None or not self._accepted or self._writer.is_closing():
            return False
        self._writer.write(data)
        return True

    async def _run(self) -> None:
        while True:
            with suppress(OSError, TimeoutError):
                await self._live()
            await asyncio.sleep(PAUSE)

    async def _live(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            self._writer.write(connect(self._client_id))
            splitter = Splitter()
            while data := await self._read(reader):
                for packet in splitter.feed(data):
                    self._take(packet)
        finally:
            self._accepted = False
            self._writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        if self._accepted:
            return await reader.read(65536)
        # A broker that is about to stop may accept a connection and never answer it.
        async with asyncio.timeout(TIMEOUT):
            return await reader.read(65536)

    def _take(self, packet: Packet) -> None:
        if packet.kind != CONNACK:
            self._owner.received(packet)
            return
        reason = packet.body[1]
        if reason:
            raise ConnectionError(f"refused: {reason:#x}")
        self._accepted = True
        self._owner.opened(bool(packet.body[0] & 1))
