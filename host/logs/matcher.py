"""Looks for a pattern in texts, in a process of its own: a regular expression can take for ever, and nothing
could stop it in this one."""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import Awaitable, Callable, Sequence

LONGEST = 200
"""Characters of a pattern."""
TIME_LIMIT = 5.0
CPU_LIMIT = 60
"""Seconds, for who follows a log for long."""
MOST_AT_ONCE = 4
AT_A_TIME = 200
"""Texts that are written without a look at anything else."""
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

Read = Callable[[asyncio.StreamReader], Awaitable[bytes]]


class PatternError(ValueError):
    """The pattern is none, or cannot be looked for; the message says what to do."""


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
        if said := json.loads(await self._ask([self._pattern], lambda out: out.readuntil())):
            await self.close()
            raise PatternError(f"{self._pattern!r} is no regular expression of Python: {said}")

    async def match(self, texts: Sequence[str]) -> list[bool]:
        """In which of them it is; raises PatternError where that takes too long."""
        if self._process is None:
            return [self._pattern in text for text in texts]
        told = await self._ask(texts, lambda out: out.readexactly(len(texts)))
        return [each == ord("1") for each in told]

    async def _ask(self, texts: Sequence[str], read: Read) -> bytes:
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        feeding = asyncio.create_task(_feed(process.stdin, texts))
        try:
            async with asyncio.timeout(TIME_LIMIT):
                return await read(process.stdout)
        except (TimeoutError, asyncio.IncompleteReadError):
            await self.close()
            raise PatternError(
                f"{self._pattern!r} takes too long to look for; write a simpler one, or narrow the search"
            ) from None
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    async def close(self) -> None:
        """End the process, whatever it is doing."""
        if (process := self._process) is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _feed(pipe: asyncio.StreamWriter, texts: Sequence[str]) -> None:
    for start in range(0, len(texts), AT_A_TIME):
        lines = "".join(f"{json.dumps(text)}\n" for text in texts[start : start + AT_A_TIME])
        pipe.write(lines.encode())
        await pipe.drain()
        await asyncio.sleep(0)
