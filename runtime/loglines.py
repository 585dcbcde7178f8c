"""Reads what a pool prints from its pipe and hands it on line by line, at a bounded rate."""

import asyncio
import contextlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from runtime.spec import PoolSpec
from runtime.worker.logs import LINE_COST, MOST_FIELDS, RECORD, UNIT

READ_SIZE = 64 * 1024
BURST = 8.0
"""For how many seconds' worth of the rate a pool may print at once."""
TELL_AFTER = 1.0
RECENT_LINES = 50
MAX_LAST_READS = 64


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a function's log; `time` is seconds since the epoch, `id` the invocation's or empty.

    `more` says that it goes on with the line before it of the same revision and id, as tracebacks do.
    """

    time: float
    level: str
    id: str
    revision: str
    line: str
    fields: dict[str, Any] | None = None
    more: bool = False

    def view(self) -> dict[str, Any]:
        """As JSON has it; what is empty is left out."""
        told = {"time": self.time, "level": self.level, "id": self.id, "revision": self.revision}
        told |= {"line": self.line}
        told |= {"fields": self.fields} if self.fields else {}
        return told | ({"more": True} if self.more else {})


LogSink = Callable[[LogLine], None]


class LogReader:
    """Keeps a pipe empty, so that no function ever waits for its prints; drops what is over the rate."""

    def __init__(self, spec: PoolSpec, sink: LogSink) -> None:
        self.recent: deque[str] = deque(maxlen=RECENT_LINES)
        self._revision = spec.label
        self._mask = spec.mask
        self._keep = spec.keep
        self._longest = spec.bounds.log_line
        self._rate = spec.bounds.log_rate
        self._sink = sink
        self._rest = b""
        self._allowance = BURST * self._rate
        self._last = time.monotonic()
        self._dropped = 0
        self._reading, self._writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reading, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reading, self._read)

    @contextlib.contextmanager
    def writing_end(self) -> Iterator[int]:
        """The descriptor to give to the child; closed here afterwards."""
        try:
            yield self._writing
        finally:
            os.close(self._writing)

    def close(self) -> None:
        """Read what is left and end; the pipe may still be held by a process that outlived its pool."""
        for _ in range(MAX_LAST_READS):
            if not self._read():
                break
        if self._rest:
            self._take_pieces(self._rest)
        self._tell_dropped()
        self._loop.remove_reader(self._reading)
        os.close(self._reading)

    def _read(self) -> bool:
        try:
            data = os.read(self._reading, READ_SIZE)
        except BlockingIOError:
            return False
        if not data:
            self._loop.remove_reader(self._reading)
            return False
        if self._admit(data):
            self._split(data)
        return True

    def _admit(self, data: bytes) -> bool:
        now = time.monotonic()
        # Many short lines cost the host as much as one long one.
        cost = len(data) + LINE_COST * data.count(b"\n")
        self._allowance = min(BURST * self._rate, self._allowance + (now - self._last) * self._rate) - cost
        self._last = now
        if self._allowance >= 0:
            return True
        self._allowance += cost
        if not self._dropped:
            self._loop.call_later(TELL_AFTER, self._tell_dropped)
        self._dropped += len(data)
        return False

    def _tell_dropped(self) -> None:
        if self._dropped:
            text = (
                f"{self._dropped} bytes were printed faster than {self._rate} bytes/s and dropped"
                " (`limits.log_rate`)"
            )
            self._dropped = 0
            self._sink(LogLine(time.time(), "warning", "", self._revision, text))

    def _split(self, data: bytes) -> None:
        *lines, rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._take_pieces(line)
        if whole := len(rest) // self._longest * self._longest:
            whole -= self._keep(rest[:whole])
            if whole:
                self._take_pieces(rest[:whole])
        self._rest = rest[whole:]

    def _take_pieces(self, line: bytes) -> None:
        text = self._mask(line.decode("utf-8", "replace"))
        if len(line) <= self._longest:
            self._take(text)
            return
        # After the mask: half a secret would not be known for one.
        masked = text.encode()
        for start in range(0, len(masked), self._longest):
            self._take(masked[start : start + self._longest].decode("utf-8", "replace"))

    def _take(self, text: str) -> None:
        line = parse_line(text, self._revision)
        self.recent.append(line.line)
        self._sink(line)


def parse_line(text: str, revision: str) -> LogLine:
    """A line with our marks, or one from below Python, which has no level and no id."""
    if text.startswith(RECORD):
        parts = text[1:].split(UNIT, 5)
        if len(parts) == 6:
            level, invocation, _, more, fields, line = parts
            told = _read_fields(fields) if fields else None
            return LogLine(time.time(), level[:16], invocation[:64], revision, line, told, more == "+")
    return LogLine(time.time(), "stderr", "", revision, text)


def _read_fields(text: str) -> dict[str, Any] | None:
    """What the worker calls fields; None for what is no object, too large, or more than JSON can say."""
    if len(text) > MOST_FIELDS:
        return None
    try:
        fields = json.loads(text, parse_constant=str)
        json.dumps(fields, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return fields if fields and isinstance(fields, dict) else None
