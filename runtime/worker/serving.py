"""Serves one slot: runs a loaded function on the events that come over the slot's socket, until its end."""

import contextlib
import socket
import threading
from collections.abc import Callable
from functools import partial
from operator import setitem
from typing import NoReturn

from .answers import Rules
from .batches import BatchIntake, BatchRunner
from .context import Context
from .failures import describe_failure
from .frames import Decoder, Head, encode
from .imported import list_imported
from .invocation import Means, Runner
from .loader import Function, run_hook
from .setup import Setup
from .sync_loop import Intake, SyncLoop
from .thread_loop import Staff, ThreadLoop


class Serving:
    """`word` is the slot's shared word; `fail` ends the instance from one of its threads."""

    def __init__(
        self,
        given: Setup,
        channel: socket.socket,
        word: "memoryview[int]",
        fail: Callable[[BaseException], NoReturn],
    ) -> None:
        self._given = given
        self._channel = channel
        self._word = word
        self._fail = fail

    def run(self, function: Function) -> None:
        """Returns when the host has closed its side, all that came before it is answered."""
        means = Means(self._given.around, self._rules(), self._given.pipe, self._mark())
        runner = (BatchRunner if function.is_batch else Runner)(function, means)
        if function.is_async:
            import asyncio

            asyncio.run(self._serve_async(function, runner))
        else:
            self._serve(function, runner)

    def _serve(self, function: Function, runner: Runner | BatchRunner) -> None:
        run_hook(function.start, self._context())
        self._loop(function).run(runner.run)
        run_hook(function.shutdown, self._context())

    def _loop(self, function: Function) -> SyncLoop | ThreadLoop:
        reply = partial(self._reply, function)
        if self._given.concurrency == 1:
            return SyncLoop(self._channel, self._intake(function), reply)
        staff = Staff(self._given.concurrency, self._fail)
        return ThreadLoop(self._channel, self._intake(function), reply, staff)

    async def _serve_async(self, function: Function, runner: Runner | BatchRunner) -> None:
        from .async_loop import AsyncLoop, run_hook_in_loop

        await run_hook_in_loop(function.start, self._context())
        loop = AsyncLoop(self._channel, self._intake(function), partial(self._reply, function))
        await loop.run(runner.run_async, self._given.concurrency)
        await run_hook_in_loop(function.shutdown, self._context())

    def _reply(self, function: Function, head: Head) -> bytes | None:
        if head.get("op") == "list":
            return encode({"op": "imported", "files": list_imported()})
        if head.get("op") != "probe":
            return None
        return encode({"op": "ready", "async": function.is_async, "batch": self._given.is_batch})

    def _mark(self) -> Callable[[int], None]:
        # Numbers only grow, also when several events run at a time: all up to this one have begun.
        return mark_highest(self._word) if self._given.concurrency > 1 else partial(setitem, self._word, 0)

    def _intake(self, function: Function) -> Intake:
        decoder = Decoder(self._given.max_event)
        return BatchIntake(decoder) if function.is_batch else decoder

    def _rules(self) -> Rules:
        given = self._given
        return Rules(given.accepts, given.max_result, given.json_depth, given.around.code_folders, given.box)

    def _context(self) -> Context:
        return Context(self._given.around, {"dl": self._given.start_deadline()})


def report_failure(given: Setup, channel: socket.socket, error: BaseException) -> None:
    """Tell the host, and the function's log, why the instance does not go on."""
    record = describe_failure(error, given.around.code_folders, given.box, given.pipe.mask)
    given.pipe.write_failure(record)
    # The function may have closed the channel, and that may be the very error.
    with contextlib.suppress(OSError):
        channel.setblocking(True)
        channel.sendall(encode({"op": "failed", "error": record}))


def mark_highest(word: "memoryview[int]") -> Callable[[int], None]:
    """Notes numbers that several threads may give in another order than theirs."""
    lock = threading.Lock()

    def mark(number: int) -> None:
        with lock:
            word[0] = max(word[0], number)

    return mark
