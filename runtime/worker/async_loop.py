"""An instance of a coroutine function: up to `concurrency` events at a time on one event loop."""

import asyncio
import inspect
import socket
from collections import deque
from collections.abc import Callable
from functools import partial

from .context import Context
from .frames import Decoder, Head, encode
from .invocation import Runner
from .loader import Function, Hook

# Beyond 128 KiB malloc would map and unmap memory for each call.
READ_SIZE = 64 * 1024

Reply = Callable[[Head], bytes | None]


class AsyncLoop:
    """Reads events from the slot's socket until the host closes its side."""

    def __init__(self, channel: socket.socket, decoder: Decoder, reply: Reply) -> None:
        self._channel = channel
        self._decoder = decoder
        self._reply = reply
        self._waiting: deque[tuple[Head, bytes]] = deque()
        self._running: dict[int, asyncio.Task[bytes]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()

    async def run(self, function: Function, runner: Runner, concurrency: int) -> None:
        """Returns at the end of the stream, when all that came before it is answered."""
        self._channel.setblocking(False)
        loop = asyncio.get_running_loop()

        def begin() -> None:
            while self._waiting and len(self._running) < concurrency:
                head, body = self._waiting.popleft()
                task = asyncio.create_task(runner.run_async(function, head, body))
                self._running[head["n"]] = task
                task.add_done_callback(partial(finish, head["n"]))

        def finish(number: int, task: "asyncio.Task[bytes]") -> None:
            del self._running[number]
            # One that is cancelled before its first step never comes to answer by itself.
            self._answer(encode({"n": number, "k": "expired"}) if task.cancelled() else task.result())
            begin()

        while data := await loop.sock_recv(self._channel, READ_SIZE):
            for head, body in self._decoder.feed(data):
                await self._take(head, body)
            begin()
        while busy := {*self._running.values(), *self._answering}:
            await asyncio.wait(busy)

    async def _take(self, head: Head, body: bytes) -> None:
        if "n" in head:
            self._waiting.append((head, body))
        elif head.get("op") == "cancel":
            if task := self._running.get(head["event"]):
                task.cancel()
        elif frame := self._reply(head):
            await self._send(frame)

    def _answer(self, frame: bytes) -> None:
        # A task of its own: a cancellation that comes late must not cut a frame that is being sent.
        task = asyncio.create_task(self._send(frame))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _send(self, frame: bytes) -> None:
        async with self._sending:
            await asyncio.get_running_loop().sock_sendall(self._channel, frame)


async def run_hook_in_loop(hook: Hook | None, context: Context) -> None:
    """Call a hook on the loop that the events will run on."""
    outcome = hook(context) if hook else None
    if inspect.isawaitable(outcome):
        await outcome
