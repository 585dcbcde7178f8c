"""What somebody wants to see of a function's log, and how it is found in memory and on disk."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from conf.units import parse_duration
from host.logs.entries import Entry, Joiner, join_lines, newest, text_of
from host.logs.followers import Follower, Missed
from host.logs.matcher import Matcher
from host.logs.store import LogStore
from runtime.loglines import LogLine

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
RANKS = {**LEVELS, "stderr": 30}
"""What comes from below Python has no level; it is told to those who ask for warnings."""
MOST_HELD = 200
"""Lines kept of an entry that goes on and that nobody wants yet."""


@dataclass(frozen=True)
class Query:
    """Which entries are wanted; what is empty wants all.

    `since` is in seconds of the epoch, `level` the least one of LEVELS, `invocation` how an id begins,
    `revision` is `industry@3`, and `pattern` is to be found in the text.
    """

    since: float = 0.0
    level: str = ""
    invocation: str = ""
    revision: str = ""
    pattern: str = ""

    @property
    def wants_all(self) -> bool:
        """Whether nothing is left out."""
        return self == Query()

    def admits(self, line: LogLine) -> bool:
        """Whether an entry that begins with this line is wanted, but for the pattern."""
        return (
            line.time >= self.since
            and RANKS.get(line.level, LEVELS["info"]) >= LEVELS.get(self.level, 0)
            and line.id.startswith(self.invocation)
            and self.revision in ("", line.revision)
        )


class Search:
    """One look at the log of a function, and what comes after it; `matcher` is open, and closed by others."""

    def __init__(self, store: LogStore, function: str, query: Query, matcher: Matcher) -> None:
        self._store = store
        self._function = function
        self._query = query
        self._matcher = matcher
        self._coming: Follower | None = None

    @property
    def is_quick(self) -> bool:
        """Whether no more than the newest lines are looked at."""
        return self._query.wants_all

    async def find(self, count: int, follow: bool) -> list[LogLine]:
        """The newest lines that are wanted, oldest first; raises PatternError."""
        look = self._store.tail if self.is_quick else self._store.read
        lines = await look(self._function)
        if follow:
            # Before anything else can come: no line is lost between the two.
            self._coming = self._store.subscribe(self._function)
        entries, texts = await asyncio.to_thread(self._admitted, lines)
        if self._query.pattern:
            found = await self._matcher.match(texts)
            entries = [entry for entry, is_hit in zip(entries, found, strict=True) if is_hit]
        return list(newest(entries, count))

    def _admitted(self, lines: list[LogLine]) -> tuple[list[Entry], list[str]]:
        entries = [entry for entry in join_lines(lines) if self._query.admits(entry.lines[0])]
        return entries, [text_of(each.lines) for each in entries] if self._query.pattern else []

    async def follow(self) -> AsyncIterator[LogLine]:
        """Those that come, from `find` on; raises PatternError."""
        joiner = Joiner()
        while self._coming is not None and (line := await self._coming.get()) is not None:
            if isinstance(line, Missed):
                yield line
                continue
            entry = joiner.add(line)
            if not self._query.admits(entry.lines[0]):
                shown = []
            elif entry.is_shown:
                shown = [line]
            else:
                entry.is_shown = not self._query.pattern or (await self._matcher.match([text_of([line])]))[0]
                shown = list(entry.lines) if entry.is_shown else []
            if entry.is_shown or len(entry.lines) > MOST_HELD:
                del entry.lines[1:]
            for each in shown:
                yield each


def parse_since(text: str, now: float) -> float:
    """Seconds of the epoch of `10m` before `now`, or of a time in ISO 8601; raises ValueError.

    A time without a zone is one of this machine's.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass  # a time, or nothing that could be read
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"{text[:40]!r} is neither a duration such as 10m nor a time such as 2026-01-31T08:00:00Z"
        ) from None
