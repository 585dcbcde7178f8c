"""Takes the results of asynchronous invocations, as a caller's own server would."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

ANSWER = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


class Callbacks:
    """What was posted to `url` so far."""

    def __init__(self) -> None:
        self.url = ""
        self._heads: list[bytes] = []

    def heard(self, event_id: str) -> bool:
        """Whether the result of this invocation was posted."""
        return any(event_id.encode() in head for head in self._heads)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request. The host may die while it writes it."""
        with suppress(OSError, asyncio.IncompleteReadError):
            self._heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(ANSWER)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Callbacks]:
    """Callbacks that can be reached at their `url`."""
    calls = Callbacks()
    server = await asyncio.start_server(calls.take, "127.0.0.1", 0)
    calls.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/done"
    try:
        yield calls
    finally:
        server.close()
