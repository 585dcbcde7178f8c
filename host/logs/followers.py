"""Who follows a log: a bounded number of bytes waits for each, and what had no room is told."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass

from host.logs.recent_lines import cost_of
from runtime.loglines import LogLine

ROOM = 1024 * 1024
"""Bytes that wait for a reader that is slow."""


@dataclass(frozen=True, slots=True)
class Missed(LogLine):
    """Stands where lines are left out, and is shown whatever else is wanted."""


class Follower:
    """Lines that come, until nobody has it any more; for the event loop's thread."""

    def __init__(self) -> None:
        self._lines: deque[tuple[LogLine, int]] = deque()
        self._used = 0
        self._left_out = 0
        self._revision = ""
        self._is_over = False
        self._news = asyncio.Event()

    def put(self, line: LogLine) -> None:
        """Keep one line more, or count it where there is no room."""
        cost = cost_of(line)
        if self._used + cost > ROOM:
            self._left_out += 1
            self._revision = line.revision
            return
        self._tell_left_out()
        self._lines.append((line, cost))
        self._used += cost
        self._news.set()

    def end(self) -> None:
        """Nothing comes any more."""
        self._is_over = True
        self._news.set()

    async def get(self) -> LogLine | None:
        """The next line, a Missed where some are left out; None at the end. Others have a turn in between."""
        await asyncio.sleep(0)
        while not self._lines:
            self._tell_left_out()
            if not self._lines:
                if self._is_over:
                    return None
                self._news.clear()
                await self._news.wait()
        line, cost = self._lines.popleft()
        self._used -= cost
        return line

    def _tell_left_out(self) -> None:
        if self._left_out:
            text = f"{self._left_out} lines are left out here: they came faster than they were read"
            self._lines.append((Missed(time.time(), "warning", "", self._revision, text), 0))
            self._left_out = 0
