"""What was counted of a function, as one list of totals that can be added and subtracted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from operator import add, sub

from host.observing.metrics.buckets import BOUNDS
from host.observing.metrics.tallies import FunctionTally
from runtime.observations import RESULTS

Totals = list[float]
"""Events by result, those refused, the two sums of seconds, the buckets of runs, those of waiting."""

PLACES = {result: place for place, result in enumerate(RESULTS)}
REFUSED, RUN, QUEUE = len(RESULTS), len(RESULTS) + 1, len(RESULTS) + 2
RUNS = QUEUE + 1
WAITS = RUNS + len(BOUNDS) + 1
WIDTH = WAITS + len(BOUNDS) + 1
UNKNOWN = (nan, nan, nan)


def count_totals(tally: FunctionTally) -> Totals:
    """All that this tally has counted."""
    counts = [0] * RUNS
    for (_, _, result), count in tally.runs.items():
        counts[PLACES[result]] += count
    for (_, result), count in tally.earlier.items():
        counts[PLACES[result]] += count
    counts[REFUSED] = sum(tally.refused.values())
    totals: Totals = [*counts, *tally.duration.counts, *tally.queue.counts]
    totals[RUN], totals[QUEUE] = tally.duration.total, tally.queue.total
    return totals


def mark_of(tally: FunctionTally) -> int:
    """A number that is another one once something was counted; cheap, for it is asked for each second."""
    earlier = sum(tally.earlier.values()) if tally.earlier else 0
    return sum(tally.runs.values()) + earlier + (sum(tally.refused.values()) if tally.refused else 0)


def add_totals(one: Sequence[float], other: Sequence[float]) -> Totals:
    """Both together."""
    return list(map(add, one, other))


def as_columns(totals: Totals) -> list[float]:
    """The first columns of a function's row, and of the host's."""
    return [*totals[:RUN], totals[RUN], *UNKNOWN, totals[QUEUE], *UNKNOWN]


def as_buckets(totals: Totals) -> tuple[Sequence[float], Sequence[float]]:
    """Those of the runs, and those of waiting."""
    return totals[RUNS:WAITS], totals[WAITS:]


@dataclass(slots=True)
class Counted:
    """A function's totals, which go on when it is removed and deployed anew, and is counted anew."""

    tally: FunctionTally
    mark: int = 0
    totals: Totals = field(default_factory=lambda: [0] * WIDTH)
    carried: Totals | None = None

    def use(self, tally: FunctionTally) -> None:
        """This is what counts from now on; what the one before it has counted stays."""
        self.carried = self._total()
        self.tally, self.mark = tally, -1

    def look(self) -> Totals:
        """What came since the last look."""
        before, self.totals = self.totals, self._total()
        self.mark = mark_of(self.tally)
        return list(map(sub, self.totals, before))

    def _total(self) -> Totals:
        totals = count_totals(self.tally)
        return totals if self.carried is None else add_totals(totals, self.carried)
