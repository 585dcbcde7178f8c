"""Runs a program beside the host for a while, which dies with it and leaves nothing to its caller."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

from functions import launch


async def run_child(python: Path, arguments: list[str], time_limit: float, lines: bytes = b"") -> bytes:
    """Run `python -I -S ARGUMENT...` with `lines` as its input, for `time_limit` seconds at most.

    Returns what it printed, nothing when its time was over. How it ends is not told; when the caller is
    cancelled it is killed. Raises OSError when there can be no process. To be called on an event loop in the
    main thread: it dies with the thread that started it.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", launch.__file__, str(os.getpid())),
        *(str(python), "-I", "-S", "-W", "ignore", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(time_limit):
                return (await process.communicate(lines))[0]
        return b""
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
