"""A TCP proxy before a broker that can delay what passes, hold it back, cut it off, or cut it in two."""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

from tests.torture.tap import Tap, Watch

RESET_AT_CLOSE = struct.pack("ii", 1, 0)
CHUNK = 65536
# A host hears late that its connection is cut, and what it says until then is lost, but known.
LATE = 0.2

Pieces = asyncio.Queue[bytes]


@dataclass(frozen=True)
class Way:
    """One direction of a connection; `publishes` says whether it carries messages or acknowledgements."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    up: bool
    publishes: bool
    pieces: Pieces = field(default_factory=asyncio.Queue)


class Proxy:
    """Passes loopback connections on to `port`. `delay` is in seconds for each piece that passes.

    `tap` sees what passes.
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
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def reset(self) -> None:
        """Reset all connections: the broker hears of it at once, the host a little later."""
        for writer in list(self._open):
            writer.transport.abort()

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
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        try:
            await self._flows.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open.add(back)
        inward = self._tap.inward
        try:
            await self._pass(
                Way(reader, back, up=True, publishes=not inward),
                Way(there, writer, up=False, publishes=inward),
            )
        finally:
            self._open.discard(back)
            back.transport.abort()
            writer.transport.abort()

    async def _pass(self, up: Way, down: Way) -> None:
        """Ends when either side does."""
        watch = self._tap.watch()
        host = asyncio.create_task(self._read(up, watch))
        others = [
            asyncio.create_task(each)
            for each in (self._write(up, watch), self._read(down, watch), self._write(down, watch))
        ]
        try:
            await asyncio.wait([host, *others], return_when=asyncio.FIRST_COMPLETED)
            by_host = host.done()
            up.writer.transport.abort()
            for each in others:
                each.cancel()
            await asyncio.wait([host], timeout=LATE)
            watch.close(by_host=by_host)
        finally:
            for each in (host, *others):
                each.cancel()
            await asyncio.gather(host, *others, return_exceptions=True)

    async def _read(self, way: Way, watch: Watch) -> None:
        with suppress(OSError):
            while data := await way.reader.read(CHUNK):
                if way.publishes:
                    watch.take_messages(data)
                else:
                    watch.take_acknowledgements(data)
                await way.pieces.put(data)

    async def _write(self, way: Way, watch: Watch) -> None:
        with suppress(OSError):
            while True:
                data = await way.pieces.get()
                await asyncio.sleep(self.delay)
                await self._flows.wait()
                if way.up and self._torn:
                    await self._tear(way.writer, data)
                    return
                way.writer.write(data)
                await way.writer.drain()
                if not way.publishes:
                    watch.let_through(data)

    async def _tear(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        self._torn = False
        writer.write(data[: len(data) // 2])
        await writer.drain()
        self.reset()
