"""One gunicorn worker process of a pool: from the fork to the end of its slot's stream."""

import contextlib
import gc
import mmap
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from operator import setitem
from types import FrameType
from typing import Any, NoReturn

from gunicorn.workers.base import Worker

from . import box
from .answers import Rules
from .batches import BatchIntake, BatchRunner
from .context import Context
from .failures import describe_failure
from .forks import ForkGuard
from .frames import Decoder, Head, encode
from .invocation import Means, Runner
from .loader import Function, reseed_numpy, run_hook
from .setup import Setup
from .sync_loop import Intake, SyncLoop
from .thread_loop import Staff, ThreadLoop

START_FAILED = 3


class InstanceWorker(Worker):
    """`sockets` are the slot's channel and the file of its shared word, as the arbiter received them."""

    sockets: list[Any]

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.given: Setup = self.app.given

    def init_process(self) -> None:
        """What gunicorn does after a fork, and before it what must be first."""
        box.die_with(self.ppid)
        box.name_process(f"fn {self.given.label}")
        reseed_numpy()
        gc.enable()
        self.channel, word_file = self.sockets
        self.word = memoryview(mmap.mmap(word_file.fileno(), mmap.PAGESIZE)).cast("Q")
        word_file.close()
        self.sockets = [self.channel]
        self.channel.sendall(encode({"op": "hello"}))
        ForkGuard(self.channel, self.SIGNALS).install()
        try:
            super().init_process()
        except BaseException as error:  # noqa: BLE001 - user code ran: its hooks, or its import
            self._report(error)
            sys.exit(START_FAILED)

    def init_signals(self) -> None:
        """Signals as gunicorn sets them, and the host's question where we are."""
        super().init_signals()
        # An idle instance waits in recv(2), which a signal must interrupt for the handler to run at all.
        signal.siginterrupt(signal.SIGTERM, True)
        self.given.register_stack_dump()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM ends the stream, not the event that runs."""
        super().handle_exit(sig, frame)
        self.channel.shutdown(socket.SHUT_RD)

    def run(self) -> None:
        """Serve the slot until the host closes it."""
        function: Function = self.wsgi
        means = Means(self.given.around, self._rules(), self.given.pipe, self._mark())
        runner = (BatchRunner if function.is_batch else Runner)(function, means)
        if function.is_async:
            import asyncio

            asyncio.run(self._serve_async(function, runner))
        else:
            self._serve(function, runner)

    def _serve(self, function: Function, runner: Runner | BatchRunner) -> None:
        run_hook(function.start, self._context())
        self._loop().run(runner.run)
        run_hook(function.shutdown, self._context())

    def _loop(self) -> SyncLoop | ThreadLoop:
        if self.given.concurrency == 1:
            return SyncLoop(self.channel, self._intake(), self._reply)
        staff = Staff(self.given.concurrency, self._fail)
        return ThreadLoop(self.channel, self._intake(), self._reply, staff)

    async def _serve_async(self, function: Function, runner: Runner | BatchRunner) -> None:
        from .async_loop import AsyncLoop, run_hook_in_loop

        await run_hook_in_loop(function.start, self._context())
        loop = AsyncLoop(self.channel, self._intake(), self._reply)
        await loop.run(runner.run_async, self.given.concurrency)
        await run_hook_in_loop(function.shutdown, self._context())

    def _reply(self, head: Head) -> bytes | None:
        if head.get("op") != "probe":
            return None
        return encode({"op": "ready", "async": self.wsgi.is_async, "batch": self.given.is_batch})

    def _report(self, error: BaseException) -> None:
        if os.getpid() != self.pid:
            self.given.pipe.write_line(
                "error", "a process that the function forked came out of it and was ended"
            )
            return
        record = describe_failure(error, self.given.around.code_folders)
        self.given.pipe.write_failure(record)
        # The function may have closed the channel, and that may be the very error.
        with contextlib.suppress(OSError):
            self.channel.setblocking(True)
            self.channel.sendall(encode({"op": "failed", "error": record}))

    def _fail(self, error: BaseException) -> NoReturn:
        """End the process from one of its threads."""
        self._report(error)
        os._exit(START_FAILED)

    def _mark(self) -> Callable[[int], None]:
        # Numbers only grow, also when several events run at a time: all up to this one have begun.
        return mark_highest(self.word) if self.given.concurrency > 1 else partial(setitem, self.word, 0)

    def _intake(self) -> Intake:
        decoder = Decoder(self.given.max_event)
        return BatchIntake(decoder) if self.wsgi.is_batch else decoder

    def _rules(self) -> Rules:
        return Rules(self.given.accepts, self.given.max_result, self.given.around.code_folders)

    def _context(self) -> Context:
        return Context(self.given.around, {"dl": self.given.start_deadline()})


def mark_highest(word: "memoryview[int]") -> Callable[[int], None]:
    """Notes numbers that several threads may give in another order than theirs."""
    lock = threading.Lock()

    def mark(number: int) -> None:
        with lock:
            word[0] = max(word[0], number)

    return mark
