"""What has become of each function's events and instances since the host was started, as plain counts.

Nothing is worked out before somebody asks: each event pays for this (1.6 µs of CPU, measured with timeit).
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from host.observing.metrics.buckets import Buckets
from runtime.events import Event, InvocationError
from runtime.observations import End, Observer, Result, Run, Start
from runtime.scaling.decisions import Decision, Why
from runtime.spec import PoolSpec

RunKey = tuple[int, str, Result]
"""Revision, trigger, result."""
NEAR = 0.8
"""The part of its deadline from which on a run is near it."""
RefusedKey = tuple[str, str]
"""Trigger, reason: the word of an error's class, such as `queue_full`."""


@dataclass(slots=True)
class StartTimes:
    """How many instances were started in one way, and in how many seconds altogether."""

    count: int = 0
    total: float = 0.0


@dataclass(slots=True)
class FunctionTally:
    """One function. No count goes down while it is deployed, but the `runs` of a revision go with it.

    Those are then in `earlier`, by trigger and result. `duration` has the runs that an instance had, and
    `near_deadline` counts those of them that took most of their deadline; `queue` has all that a pool took
    in.
    """

    runs: dict[RunKey, int] = field(default_factory=dict)
    earlier: Counter[tuple[str, Result]] = field(default_factory=Counter)
    refused: Counter[RefusedKey] = field(default_factory=Counter)
    duration: Buckets = field(default_factory=Buckets)
    near_deadline: int = 0
    queue: Buckets = field(default_factory=Buckets)
    starts: dict[Start, StartTimes] = field(default_factory=dict)
    ends: Counter[End] = field(default_factory=Counter)
    decisions: Counter[Why] = field(default_factory=Counter)

    def totals(self) -> Counter[tuple[str, Result]]:
        """All events that a pool of this function has done with, by trigger and result."""
        totals = Counter(self.earlier)
        for (_, trigger, result), count in self.runs.items():
            totals[trigger, result] += count
        return totals

    def results(self) -> Counter[Result]:
        """All events that a pool of this function has done with, by result."""
        results: Counter[Result] = Counter()
        for (_, result), count in self.totals().items():
            results[result] += count
        return results

    def forget(self, kept: Collection[int]) -> None:
        """Have no counts of their own any more for revisions but these."""
        for key in [each for each in self.runs if each[0] not in kept]:
            self.earlier[key[1], key[2]] += self.runs.pop(key)


class Tallies(Observer):
    """Counts for each function; `is_deployed` tells names that are one from what anybody may ask for."""

    def __init__(self, is_deployed: Callable[[str], bool] = lambda name: False) -> None:
        self.is_deployed = is_deployed
        self.unknown: Counter[RefusedKey] = Counter()
        """What was refused to names that nobody has deployed."""
        self._functions: dict[str, FunctionTally] = {}

    def functions(self) -> Mapping[str, FunctionTally]:
        """Those that had anything to count so far, by name; they go on counting."""
        return self._functions

    def function(self, name: str) -> FunctionTally:
        """The counts of this function, which begin here if there are none."""
        tally = self._functions.get(name)
        if tally is None:
            tally = self._functions[name] = FunctionTally()
        return tally

    def retain(self, deployed: Mapping[str, Collection[int]]) -> None:
        """Forget functions, and revisions of them, that are not deployed any more."""
        for name in [each for each in self._functions if each not in deployed]:
            del self._functions[name]
        for name, tally in self._functions.items():
            tally.forget(deployed[name])

    def ended(self, run: Run) -> None:
        """Count an event by its end, its run and its wait."""
        spec = run.spec
        tally = self._functions.get(spec.function) or self.function(spec.function)
        runs, key = tally.runs, (spec.revision, run.event.trigger, run.result)
        runs[key] = runs.get(key, 0) + 1
        ran = run.seconds
        if ran is None:
            ran = run.ended - run.sent if run.sent else 0.0
        if run.sent:
            tally.duration.add(ran)
            if ran > NEAR * spec.timeout:
                tally.near_deadline += 1
        waited = run.ended - run.arrived - ran
        tally.queue.add(waited if waited > 0.0 else 0.0)

    def refused(self, target: str, event: Event, error: InvocationError) -> None:
        """Count an event that no pool took in."""
        name = unicodedata.normalize("NFC", target.partition("@")[0])
        known = self.is_deployed(name)
        refused = self.function(name).refused if known else self.unknown
        refused[event.trigger, word_of(type(error))] += 1

    def started(self, spec: PoolSpec, start: Start, seconds: float) -> None:
        """Count an instance that is ready."""
        times = self.function(spec.function).starts.setdefault(start, StartTimes())
        times.count += 1
        times.total += seconds

    def stopped(self, spec: PoolSpec, end: End) -> None:
        """Count an instance that has ended."""
        self.function(spec.function).ends[end] += 1

    def decided(self, spec: PoolSpec, decision: Decision) -> None:
        """Count a decision by its reason."""
        self.function(spec.function).decisions[decision.why] += 1


def word_of(error: type[InvocationError]) -> str:
    """What a label calls an error: `queue_full` for QueueFullError."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__.removesuffix("Error")).lower()
