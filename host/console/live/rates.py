"""What the last minute has brought to each function at work, from the history's rows of ten seconds."""

from collections.abc import Iterator
from dataclasses import dataclass

from host.observing.history.axis import Axis
from host.observing.history.derived import shown_columns
from host.observing.history.history import History

MINUTE, STEP = 60, 10


@dataclass(slots=True)
class Counts:
    """Events that ended, those of them that failed, and events that were not taken in."""

    events: int = 0
    failed: int = 0
    refused: int = 0

    @property
    def failing(self) -> float:
        """The share that failed."""
        return self.failed / self.events if self.events else 0.0


class LastMinute:
    """Reads it when it is asked."""

    def __init__(self, history: History, axis: Axis) -> None:
        self._history = history
        self._axis = axis
        values = {each.name: each.value for each in shown_columns("function")}
        self._values = tuple((name, values[name]) for name in ("events", "failed", "refused"))

    def counts(self) -> Iterator[tuple[str, Counts]]:
        """Of each function that something was seen of just now."""
        since = int(self._axis.now()) - MINUTE
        # Series come and go between two of them.
        for key, series in list(self._history.find("function")):
            if self._history.is_open(key):
                counts = Counts()
                for row in series.since(since, STEP):
                    for name, value in self._values:
                        setattr(counts, name, getattr(counts, name) + value(row))
                yield key.function, counts
