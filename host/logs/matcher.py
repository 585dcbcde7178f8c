"""Looks for a pattern in texts, in a process of its own: a regular expression can take for ever, and nothing
could stop it in this one."""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

import psutil

LONGEST = 200
"""Characters of a pattern."""
TIME_LIMIT = 5.0
"""Seconds of the processor for one look: on a busy machine others' time must not count."""
WAIT_LIMIT = 30.0
"""Seconds that pass on the clock, however little of them the process has had."""
LOOK_EVERY = 0.25
CPU_LIMIT = 60
"""Seconds, for who follows a log for long."""
AT_A_TIME = 64 * 1024
"""Characters that are written, or looked through, without a look at anything else."""
PLAIN = re.compile(r"[^\\.^$*+?{}\[\]|()]*")
"""A pattern that means itself."""
PROGRAM = f"""
import json, re, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({CPU_LIMIT}, {CPU_LIMIT}))
try:
    search, said = re.compile(json.loads(sys.stdin.readline())).search, ""
except (re.error, OverflowError, RecursionError) as error:
    search, said = None, str(error) or type(error).__name__
print(json.dumps(said), flush=True)
for line in sys.stdin:
    print("01"[search(json.loads(line)) is not None], end="", flush=True)
"""


class PatternError(ValueError):
    """The pattern is none, or cannot be looked for; the message says what to do."""


class TooBusyError(PatternError):
    """The machine had no time to look, whatever the pattern."""


class Matcher:
    """One pattern, from `open` until `close`; what has no special characters needs no process."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._process: asyncio.subprocess.Process | None = None

    @property
    def needs_process(self) -> bool:
        """Whether it is more than text."""
        return PLAIN.fullmatch(self._pattern) is None

    async def open(self) -> None:
        """Read the pattern; raises PatternError."""
        if len(self._pattern) > LONGEST:
            raise PatternError(f"a pattern may have {LONGEST} characters, not {len(self._pattern)}")
        if not self.needs_process:
            return
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", PROGRAM),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        assert self._process.stdout is not None
        if said := json.loads(await self._ask([self._pattern], self._process.stdout.readuntil())):
            await self.close()
            raise PatternError(f"{self._pattern!r} is no regular expression of Python: {said}")

    async def match(self, texts: Sequence[str]) -> list[bool]:
        """In which of them it is; raises PatternError where that takes too long."""
        if self._process is None:
            return await self._match_plain(texts)
        assert self._process.stdout is not None
        told = await self._ask(texts, self._process.stdout.readexactly(len(texts)))
        return [each == ord("1") for each in told]

    async def _match_plain(self, texts: Sequence[str]) -> list[bool]:
        if len(texts) == 1:
            return [self._pattern in texts[0]]
        return await asyncio.to_thread(lambda: [self._pattern in text for text in texts])

    async def _ask(self, texts: Sequence[str], read: Coroutine[Any, Any, bytes]) -> bytes:
        assert self._process is not None and self._process.stdin is not None
        feeding = asyncio.create_task(_feed(self._process.stdin, texts))
        reading = asyncio.create_task(read)
        try:
            await self._wait(reading, self._process.pid)
            return reading.result()
        except asyncio.IncompleteReadError:
            raise self._too_long() from None
        except PatternError:
            await self.close()
            raise
        finally:
            feeding.cancel()
            reading.cancel()
            await asyncio.gather(feeding, reading, return_exceptions=True)

    async def _wait(self, reading: asyncio.Task[bytes], pid: int) -> None:
        clock = asyncio.get_running_loop().time
        give_up, begun = clock() + WAIT_LIMIT, None
        while not (await asyncio.wait([reading], timeout=LOOK_EVERY))[0]:
            # From the first look on: most answers come before it, and need none.
            used = _processor_time(pid)
            begun = used if begun is None else begun
            if used - begun > TIME_LIMIT:
                raise self._too_long()
            if clock() > give_up:
                raise TooBusyError(
                    f"this machine is too busy to look for {self._pattern!r}: in {WAIT_LIMIT:.0f} s it"
                    f" had the processor for {used - begun:.1f} s; try again later, or narrow the search"
                )

    def _too_long(self) -> PatternError:
        return PatternError(
            f"{self._pattern!r} takes too long to look for; write a simpler one, or narrow the search"
        )

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        if (process := self._process) is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _processor_time(pid: int) -> float:
    """Seconds that a process has used; 0 once it is gone, which its pipe tells."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


async def _feed(pipe: asyncio.StreamWriter, texts: Sequence[str]) -> None:
    size = 0
    for text in texts:
        pipe.write(f"{json.dumps(text)}\n".encode())
        size += len(text) + 1
        if size >= AT_A_TIME:
            size = 0
            await pipe.drain()
            await asyncio.sleep(0)
    await pipe.drain()
