"""A TCP proxy before a broker that can delay what passes, hold it back, cut it off, or cut it in two."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from tests.torture.tap import Tap, Watch

RESET_AT_CLOSE = struct.pack("ii", 1, 0)
CHUNK = 65536


@dataclass(frozen=True)
class Way:
    """One direction of a connection; `publishes` says whether it carries messages or acknowledgements."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    up: bool
    publishes: bool


class Proxy:
    """Passes loopback connections on to `port`. `delay` is in seconds for each piece that passes.

    `tap` sees what passes; its messages come from the broker if that is so for the tap, else from the host.
    """

    def __init__(self, port: int, tap: Tap) -> None:
        self.delay = 0.0
        self._target = port
        self._tap = tap
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._torn = False
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Listen on a port that the kernel chooses; returns the URL to reach it by."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self) -> None:
        """Reset all connections."""
        for writer in list(self._open):
            _reset(writer)

    def tear(self) -> None:
        """Of what the host sends next only the first half arrives, then comes a reset."""
        self._torn = True

    def mend(self) -> None:
        """Tear nothing any more."""
        self._torn = False

    def hold(self) -> None:
        """Let nothing pass, in either direction; connections stay open, and new ones are accepted."""
        self._flows.clear()

    def release(self) -> None:
        """Let pass what was held back."""
        self._flows.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._flows.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._open.add(back)
            try:
                inward = self._tap.inward
                await self._pass(
                    Way(reader, back, up=True, publishes=not inward),
                    Way(there, writer, up=False, publishes=inward),
                )
            finally:
                self._open.discard(back)
                back.transport.abort()
        except OSError:
            _reset(writer)
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _pass(self, *ways: Way) -> None:
        """Ends when either direction does."""
        watch = self._tap.watch()
        directions = [asyncio.create_task(self._pump(way, watch)) for way in ways]
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in directions:
                each.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
            watch.close()

    async def _pump(self, way: Way, watch: Watch) -> None:
        with suppress(OSError):
            while data := await way.reader.read(CHUNK):
                # A message counts when it was sent, an acknowledgement when it was let through.
                if way.publishes:
                    watch.take_messages(data)
                await asyncio.sleep(self.delay)
                await self._flows.wait()
                if way.up and self._torn:
                    await self._tear(way.writer, data)
                    return
                way.writer.write(data)
                await way.writer.drain()
                if not way.publishes:
                    watch.take_acknowledgements(data)

    async def _tear(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        self._torn = False
        writer.write(data[: len(data) // 2])
        await writer.drain()
        self.reset()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    writer.transport.abort()
