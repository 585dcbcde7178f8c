"""An instance of a coroutine function: up to `concurrency` events at a time on one event loop."""

import asyncio
import inspect
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from .answers import write_expired
from .context import Context
from .frames import Frame, Head
from .loader import Hook
from .streams import AsyncOutlet, Piece, Window
from .sync_loop import READ_SIZE, Intake, Reply

RunAsync = Callable[[Head, bytes, AsyncOutlet], Coroutine[Any, Any, bytes]]


class AsyncLoop:
    """Reads events from the slot's socket until the host closes its side."""

    def __init__(self, channel: socket.socket, intake: Intake, reply: Reply) -> None:
        self._channel = channel
        self._intake = intake
        self._reply = reply
        self._waiting: deque[Frame] = deque()
        self._running: dict[int, asyncio.Task[bytes]] = {}
        self._windows: dict[int, Window] = {}
        self._changed = asyncio.Event()
        self._sends: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()

    async def run(self, run: RunAsync, concurrency: int) -> None:
        """Returns at the end of the stream, when all that came before it is answered."""
        self._channel.setblocking(False)
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._channel, READ_SIZE):
            for frame in self._intake.feed(data):
                await self._take(frame)
            self._begin(run, concurrency)
        for window in self._windows.values():
            window.is_lifted = True
        self._changed.set()
        while busy := {*self._running.values(), *self._sends}:
            await asyncio.wait(busy)

    async def send_piece(self, number: int, piece: Piece) -> bool:
        """Waits for room without keeping the other events waiting."""
        frame, size = piece
        window = self._windows[number]
        while not window.takes(size):
            self._changed.clear()
            await self._changed.wait()
        if window.is_cancelled:
            return False
        window.outstanding += size
        await asyncio.shield(self._send_whole(frame))
        return True

    def is_cancelled(self, number: int) -> bool:
        """Whether the host has taken back its question."""
        return self._windows[number].is_cancelled

    def _begin(self, run: RunAsync, concurrency: int) -> None:
        while self._waiting and len(self._running) < concurrency:
            head, body = self._waiting.popleft()
            task = asyncio.create_task(run(head, body, self))
            self._running[head["n"]] = task
            task.add_done_callback(partial(self._finish, head["n"], partial(self._begin, run, concurrency)))

    def _finish(self, number: int, begin: Callable[[], None], task: "asyncio.Task[bytes]") -> None:
        del self._running[number], self._windows[number]
        # One that is cancelled before its first step never comes to answer by itself.
        self._send_whole(write_expired(number) if task.cancelled() else task.result())
        begin()

    async def _take(self, frame: Frame) -> None:
        head = frame[0]
        if "n" in head:
            self._waiting.append(frame)
            self._windows[head["n"]] = Window()
        elif window := self._windows.get(head.get("event", 0)):
            window.hear(head)
            self._changed.set()
            if window.is_cancelled and (task := self._running.get(head["event"])):
                task.cancel()
        elif answer := self._reply(head):
            await self._send(answer)

    def _send_whole(self, frame: bytes) -> "asyncio.Task[None]":
        # A task of its own: a cancellation that comes late must not cut a frame that is being sent.
        task = asyncio.create_task(self._send(frame))
        self._sends.add(task)
        task.add_done_callback(self._sends.discard)
        return task

    async def _send(self, frame: bytes) -> None:
        async with self._sending:
            await asyncio.get_running_loop().sock_sendall(self._channel, frame)


async def run_hook_in_loop(hook: Hook | None, context: Context) -> None:
    """Call a hook on the loop that the events will run on."""
    outcome = hook(context) if hook else None
    if inspect.isawaitable(outcome):
        await outcome
