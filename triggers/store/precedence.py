"""Which units must not be written while others, which came before them, find no room."""

from collections.abc import Iterator

from triggers.store.changes import (
    AddEvents,
    AddLetters,
    AddResults,
    Change,
    DropEvents,
    DropInvocations,
    DropLetters,
    DropResults,
    ForgetSources,
    MoveResults,
    SaveInvocation,
    SaveMoment,
    SaveSeen,
)
from triggers.store.jobs import Unit

MOST_REFUSED = 100
"""Each refusal costs a transaction: after so many, only what takes no room is tried."""

Key = tuple[str, int | str]


class Waiting:
    """Units that found no room, in their order, and those that must not overtake them.

    Those are units of the same rows; of the same lane or target, whose order a crash would show; and what is
    written down of events that must be on disk before.
    """

    def __init__(self) -> None:
        self.units: list[Unit] = []
        self._keys: set[Key] = set()

    def add(self, unit: Unit) -> None:
        """This one waits, too."""
        self.units.append(unit)
        self._keys.update(_keys_of(unit))

    def holds(self, unit: Unit) -> bool:
        """Whether a unit that came later has to wait."""
        if not self.units:
            return False
        if unit.size and len(self.units) >= MOST_REFUSED:
            return True
        follows = any(isinstance(change, SaveSeen | SaveMoment) for change in unit.changes)
        return follows or not self._keys.isdisjoint(_keys_of(unit))


def _keys_of(unit: Unit) -> Iterator[Key]:
    for change in unit.changes:
        yield from _keys(change)


def _keys(change: Change) -> Iterator[Key]:
    """The numbers of rows are different in all tables."""
    match change:
        case AddEvents(rows):
            yield from (("row", row.seq) for row in rows)
            yield from (("lane", row.lane) for row in rows)
        case AddResults(results):
            yield from (("row", row.seq) for row in results)
            yield from (("target", row.target) for row in results)
        case AddLetters(letters):
            yield from (("row", letter.seq) for letter in letters)
        case DropEvents(seqs) | DropResults(seqs) | DropLetters(seqs) | ForgetSources(seqs):
            yield from (("row", seq) for seq in seqs)
        case MoveResults(old, new):
            yield from (("target", old), ("target", new))
        case SaveInvocation(invocation):
            yield "invocation", invocation.id
        case DropInvocations(ids):
            yield from (("invocation", each) for each in ids)
        case SaveMoment() | SaveSeen():
            pass  # they follow whatever waits
