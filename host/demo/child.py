"""A process of the demo: it dies with the demo, and what it says is kept for the case that it fails."""

import asyncio
import contextlib
import os
import re
import sys
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from functions import launch
from host.demo.faults import DemoError

KEPT_LINES = 200
SHOWN_LINES = 15
LONGEST_LINE = 1024 * 1024


class Child:
    """One Python process, started with `-m`; `name` is how sentences call it."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._silent = False
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def wait_for(self, pattern: str) -> str:
        """The first group of `pattern` in a line of its output. Raises DemoError when it ends before."""
        async with self._news:
            while True:
                for line in self._lines:
                    if found := re.search(pattern, line):
                        return found[1]
                if self._silent:
                    raise self.failed("ended unexpectedly")
                await self._news.wait()

    async def watch(self) -> None:
        """Wait for its end and raise DemoError, since nothing but `stop` should bring it about."""
        await self._process.wait()
        await self._reading
        raise self.failed("ended unexpectedly")

    async def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL if it has not ended after `grace` seconds."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), grace)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._lines.append(line.decode(errors="replace").rstrip())
            await self._tell()
        self._silent = True
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def failed(self, how: str) -> DemoError:
        """The error that says so, with the last lines of its output."""
        return DemoError("\n".join([f"{self.name} {how}; it said:", *list(self._lines)[-SHOWN_LINES:]]))


@asynccontextmanager
async def run_child(name: str, arguments: Sequence[str], grace: float) -> AsyncIterator[Child]:
    """Run `python -m ARGUMENTS` within the block; to be called in the main thread only (see `launch`)."""
    launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
    process = await asyncio.create_subprocess_exec(
        *launcher,
        sys.executable,
        "-m",
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C is the demo's to handle
        limit=LONGEST_LINE,
    )
    child = Child(name, process)
    try:
        yield child
    finally:
        await child.stop(grace)
