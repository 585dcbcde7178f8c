"""Keeps the functions' logs: the newest lines in memory, all of them on disk within bounds."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from weakref import WeakSet

from host.logs.followers import Follower
from host.logs.recent_lines import RecentLines
from runtime.loglines import LogLine

logger = logging.getLogger(__name__)

LINES_IN_MEMORY = 2000
SIZE = 8 * 1024 * 1024
FLUSH_EVERY = 1.0
MAX_PENDING = 20_000
MEMORY = 64 * 1024 * 1024
"""Bytes of the newest lines of all functions, and the same again of lines that a slow disk has not taken."""
READ_AT_ONCE = 256 * 1024
SEARCHED = 8 * 1024 * 1024
LINES_AT_A_TIME, PAUSE = 100, 0.001
"""Lines that a thread reads before it leaves the interpreter to the event loop for so many seconds."""


class LogStore:
    """Lines go to `FUNCTION.log` as JSON, one per line; a full file becomes `FUNCTION.log.1`.

    Both together have `size` bytes at most; it may be changed.
    """

    def __init__(self, folder: Path, size: int = SIZE) -> None:
        self.size = size
        self._folder = folder
        self._recent = RecentLines(LINES_IN_MEMORY, MEMORY)
        self._pending = RecentLines(MAX_PENDING, MEMORY)
        self._followers: dict[str, WeakSet[Follower]] = {}
        self._flushing: asyncio.Task[None] | None = None

    def append(self, line: LogLine) -> None:
        """Keep one line; on disk within about a second."""
        function = line.revision.partition("@")[0]
        self._recent.append(function, line)
        self._pending.append(function, line)
        for follower in self._followers.get(function, ()):
            follower.put(line)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self._flush_soon())

    async def tail(self, function: str, count: int = LINES_IN_MEMORY) -> list[LogLine]:
        """The newest `count` lines, oldest first, 2,000 at most; what is not in memory is read from disk."""
        lines = self._recent.of(function)
        if len(lines) < min(count, LINES_IN_MEMORY):
            stored = await asyncio.to_thread(_read_back, self._folder / f"{function}.log", READ_AT_ONCE)
            lines = _join(stored, self._recent.of(function))[-LINES_IN_MEMORY:]
        return lines[max(0, len(lines) - count) :]

    async def read(self, function: str) -> list[LogLine]:
        """What there is in memory and among the last 8 MiB on disk, oldest first."""
        file = self._folder / f"{function}.log"
        stored = await asyncio.to_thread(_read_both, file)
        # Only now: what was written meanwhile is in memory as well, and known as such.
        return _join(stored, self._recent.of(function))

    def subscribe(self, function: str) -> Follower:
        """Where lines come to from now on, until nobody has it any more."""
        follower = Follower()
        self._followers.setdefault(function, WeakSet()).add(follower)
        return follower

    def end_followers(self) -> None:
        """Let everybody go who waits for lines to come."""
        for follower in (each for followers in self._followers.values() for each in followers):
            follower.end()

    async def close(self) -> None:
        """Write what is not on disk yet."""
        if self._flushing is not None:
            self._flushing.cancel()
        await self._flush()

    def forget(self, function: str) -> None:
        """Drop a removed function's log."""
        self._recent.forget(function)
        self._pending.forget(function)
        for suffix in (".log", ".log.1"):
            (self._folder / f"{function}{suffix}").unlink(missing_ok=True)

    async def _flush_soon(self) -> None:
        # Lines that come while others are written find this task at work, and leave it to write them as well.
        while self._pending:
            await asyncio.sleep(FLUSH_EVERY)
            await self._flush()

    async def _flush(self) -> None:
        if self._pending:
            await asyncio.to_thread(self._write, self._pending.take())

    def _write(self, pending: dict[str, deque[LogLine]]) -> None:
        for function, lines in pending.items():
            try:
                self._write_lines(self._folder / f"{function}.log", lines)
            except OSError as error:
                # A full disk must not cost more than these lines.
                logger.warning("%d log lines of %s were not written: %s", len(lines), function, error)

    def _write_lines(self, file: Path, lines: Iterable[LogLine]) -> None:
        most = self.size // 2
        encoded = [
            json.dumps(line.view(), ensure_ascii=False).encode("utf-8", "replace") + b"\n" for line in lines
        ]
        while encoded:
            used = file.stat().st_size if file.exists() else 0
            fitting = _fitting(encoded, most - used)
            if not fitting and used:
                file.replace(file.with_name(f"{file.name}.1"))
                continue
            with open(file, "ab", opener=_private) as out:
                out.writelines(encoded[: fitting or 1])
            del encoded[: fitting or 1]


def _private(path: str, flags: int) -> int:
    """What functions print is nobody else's business."""
    return os.open(path, flags, 0o600)


def _fitting(lines: list[bytes], room: int) -> int:
    """How many of the lines, from the first on, have no more than `room` bytes together."""
    sizes = itertools.accumulate(map(len, lines))
    return sum(1 for _ in itertools.takewhile(lambda size: size <= room, sizes))


def _join(stored: list[LogLine], recent: list[LogLine]) -> list[LogLine]:
    """Lines on disk and then those in memory, of which the first ones are on disk as well."""
    counts = range(len(recent), 0, -1) if stored else ()
    twice = next((count for count in counts if recent[count - 1] == stored[-1]), 0)
    return [*stored[: max(0, len(stored) - twice)], *recent]


def _read_both(file: Path) -> list[LogLine]:
    """The file, and what it has no room for of the one before it."""
    newer = _read_back(file, SEARCHED)
    room = SEARCHED - (file.stat().st_size if file.exists() else 0)
    return [*_read_back(file.with_name(f"{file.name}.1"), room), *newer] if room > 0 else newer


def _read_back(file: Path, size: int) -> list[LogLine]:
    """The lines among the last bytes of a file, read in slices; for a thread."""
    kept = list[LogLine | None]()
    try:
        with file.open("rb") as source:
            end = file.stat().st_size
            source.seek(max(0, end - size))
            while source.tell() < end and (lines := list(itertools.islice(source, LINES_AT_A_TIME))):
                kept += map(_parse, lines)
                time.sleep(PAUSE)
    except OSError:
        return []
    return [line for line in kept if line is not None]


def _parse(line: bytes) -> LogLine | None:
    # The first line may be cut by the seek, the last by a crash.
    with contextlib.suppress(ValueError, TypeError):
        return LogLine(**json.loads(line.decode("utf-8", "replace")))
    return None
