"""The newest log lines of many functions, in bounded memory."""

import sys
from collections import OrderedDict, deque

from runtime.loglines import LogLine

LINE_COST = 400
"""Bytes of a line beside its text: the record, its time, its id and its places here (sys.getsizeof)."""

FIELDS_COST = 4
"""Bytes of fields for each character of them: lists of small numbers and short texts need most."""


class RecentLines:
    """At most `each` lines of one function, and `size` bytes of all.

    Where there is no room, the function that has written nothing for longest loses its oldest lines first.
    """

    def __init__(self, each: int, size: int) -> None:
        self._each = each
        self._size = size
        self._used = 0
        self._lines: OrderedDict[str, deque[LogLine]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._lines)

    def append(self, function: str, line: LogLine) -> None:
        """Keep one line more."""
        lines = self._lines.setdefault(function, deque())
        self._lines.move_to_end(function)
        lines.append(line)
        self._used += cost_of(line)
        if len(lines) > self._each:
            self._used -= cost_of(lines.popleft())
        while self._used > self._size:
            self._lose_oldest()

    def of(self, function: str) -> list[LogLine]:
        """What is kept of one function, oldest first."""
        return list(self._lines.get(function, ()))

    def forget(self, function: str) -> None:
        """Drop what is kept of one function."""
        self._used -= sum(map(cost_of, self._lines.pop(function, ())))

    def take(self) -> dict[str, deque[LogLine]]:
        """All lines by function; nothing is kept any more."""
        taken, self._lines, self._used = self._lines, OrderedDict(), 0
        return taken

    def _lose_oldest(self) -> None:
        function, lines = next(iter(self._lines.items()))
        self._used -= cost_of(lines.popleft())
        if not lines:
            del self._lines[function]


def cost_of(line: LogLine) -> int:
    """Bytes of memory that a line takes, about."""
    fields = FIELDS_COST * len(repr(line.fields)) if line.fields else 0
    return LINE_COST + sys.getsizeof(line.line) + fields
