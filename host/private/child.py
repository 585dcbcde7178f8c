"""A process of a command: it dies with the command, and what it says is kept for the case that it fails."""

import asyncio
import contextlib
import os
import re
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from functions import launch

KEPT_LINES = 200
SHOWN_LINES = 15
LONGEST_LINE = 1024 * 1024


class ChildError(Exception):
    """A process did not do what it was started for; the message is a sentence, then what it last said."""


def _take_none(line: str) -> bool:
    return False


@dataclass(frozen=True)
class Program:
    """What `python -m ARGUMENTS` is to be; `name` is how sentences call it.

    It has `grace` seconds from SIGTERM to SIGKILL. `variables` are added to its environment. `hear` is called
    with each line of its output, and says whether it took it; the others are kept.
    """

    name: str
    arguments: Sequence[str]
    grace: float
    variables: Mapping[str, str] | None = None
    hear: Callable[[str], bool] = _take_none


class Child:
    """One Python process, started with `-m`."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process) -> None:
        self._program = program
        self._process = process
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._silent = False
        self._news = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def wait_for(self, pattern: str) -> str:
        """The first group of `pattern` in a line of its output. Raises ChildError when it ends before."""
        async with self._news:
            while True:
                for line in self._lines:
                    if found := re.search(pattern, line):
                        return found[1]
                if self._silent:
                    raise self.failed("ended unexpectedly")
                await self._news.wait()

    async def watch(self) -> None:
        """Wait for its end and raise ChildError, since nothing but `stop` should bring it about."""
        await self._process.wait()
        await self._reading
        raise self.failed("ended unexpectedly")

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL if it has not ended after its time of grace."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), self._program.grace)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reading

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            text = line.decode(errors="replace").rstrip()
            if not self._program.hear(text):
                self._lines.append(text)
                await self._tell()
        self._silent = True
        await self._tell()

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    def failed(self, how: str) -> ChildError:
        """The error that says so, with the last lines of its output."""
        said = list(self._lines)[-SHOWN_LINES:]
        return ChildError("\n".join([f"{self._program.name} {how}; it said:", *said]))


@asynccontextmanager
async def run_child(program: Program) -> AsyncIterator[Child]:
    """Run it within the block; to be called in the main thread only (see `launch`)."""
    launcher = [sys.executable, "-I", "-S", launch.__file__, str(os.getpid())]
    process = await asyncio.create_subprocess_exec(
        *launcher,
        sys.executable,
        "-m",
        *program.arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **(program.variables or {})},
        start_new_session=True,  # a Ctrl-C is the command's to handle
        limit=LONGEST_LINE,
    )
    child = Child(program, process)
    try:
        yield child
    finally:
        await child.stop()
