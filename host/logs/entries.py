"""Lines of a function's log that belong together, such as those of a traceback."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from runtime.loglines import LogLine

TRACEBACK = "Traceback (most recent call last):"
MOST_OPEN = 64
"""Entries that may still go on, of instances that log at a time."""


@dataclass(slots=True)
class Entry:
    """A line and those that go on with it; `is_shown` once somebody has it, who gets the rest as well."""

    lines: list[LogLine] = field(default_factory=list)
    is_traceback: bool = False
    is_shown: bool = False


class Joiner:
    """Finds the entry that a line goes on with: the last one of the same revision and id.

    A traceback that was printed, and so comes as lines of its own, is told by its form.
    """

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str], Entry] = OrderedDict()

    def add(self, line: LogLine) -> Entry:
        """The entry of this line, which is its last one now."""
        key = line.revision, line.id
        entry = self._open.pop(key, None)
        if entry is None or not (line.more or entry.is_traceback):
            entry = Entry(is_traceback=line.line == TRACEBACK)
        elif entry.is_traceback:
            # Its last line, which names the error, is the first that is not indented.
            entry.is_traceback = line.line.startswith(" ")
        entry.lines.append(line)
        self._open[key] = entry
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return entry


def join_lines(lines: Iterable[LogLine]) -> list[Entry]:
    """The entries, in the order of their first lines."""
    joiner, entries = Joiner(), list[Entry]()
    for line in lines:
        entry = joiner.add(line)
        if len(entry.lines) == 1:
            entries.append(entry)
    return entries


def newest(entries: list[Entry], count: int) -> Iterator[LogLine]:
    """The lines of the last entries, so many lines at least if there are; no entry is cut."""
    first, found = len(entries), 0
    while first and found < count:
        first -= 1
        found += len(entries[first].lines)
    for entry in entries[first:]:
        yield from entry.lines


def text_of(lines: Iterable[LogLine]) -> str:
    """What is looked through: the lines, and their fields as people see them."""
    return "\n".join(f"{each.line} {say_fields(each.fields or {})}".rstrip() for each in lines)


def say_fields(fields: dict[str, object]) -> str:
    """`sensor='3' value=1.5`."""
    return " ".join(f"{name}={value!r}" for name, value in fields.items())
