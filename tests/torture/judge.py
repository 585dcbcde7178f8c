"""Judges a run by its ledger alone: what was lost, repeated without a reason, out of order, or changed."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.torture.ledger import Cut, Event, Ledger, Letter
from tests.torture.subject import ORDERED

NEVER = "never"
TWICE, DELIVERY, RESULT = "published twice", "delivery cut off", "confirmation cut off"


@dataclass
class Verdict:
    """Numbers of events, by what is wrong with them; `repeats` counts further results by their cause.

    `unasked` have a dead letter though their function would have answered, `undead` have none or too many
    though it always raises. `disorder` has with each number that of the event which overtook it.
    """

    lost: list[int] = field(default_factory=list)
    unexplained: list[int] = field(default_factory=list)
    disorder: dict[int, int] = field(default_factory=dict)
    unequal: list[int] = field(default_factory=list)
    unasked: list[int] = field(default_factory=list)
    undead: list[int] = field(default_factory=list)
    repeats: Counter[str] = field(default_factory=Counter)
    letters: int = 0

    @property
    def wrong(self) -> dict[str, list[int]]:
        """What must not be, by its name; empty when all is well."""
        found = {
            "lost": self.lost,
            "repeated without a reason": self.unexplained,
            "out of order": list(self.disorder),
            "results differ": self.unequal,
            "dead letter not asked for": self.unasked,
            "not exactly one dead letter": self.undead,
        }
        return {name: numbers for name, numbers in found.items() if numbers}


def judge(ledger: Ledger, letters: Iterable[Letter]) -> Verdict:
    """The verdict over a run that has come to its end."""
    verdict = Verdict()
    dead = Counter(letter.event for letter in letters)
    verdict.letters = dead.total()
    for event in ledger.events.values():
        if event.counted is not None:
            _judge_event(ledger, event, dead[event.number], verdict)
    verdict.disorder = dict(_find_disorder(ledger))
    return verdict


def _judge_event(ledger: Ledger, event: Event, dead: int, verdict: Verdict) -> None:
    results = ledger.results.get(event.number, [])
    if not results and not dead:
        verdict.lost.append(event.number)
    if len({result.payload for result in results}) > 1:
        verdict.unequal.append(event.number)
    if event.what == NEVER:
        if results or dead > 1 + event.copies - 1 + len(event.cuts):
            verdict.undead.append(event.number)
    elif dead:
        verdict.unasked.append(event.number)
    _explain(event, len(results) - 1, ledger.deaths, verdict)


def _explain(event: Event, repeats: int, deaths: list[float], verdict: Verdict) -> None:
    """Each further result needs a cause of its own."""
    for cause in _causes(event, deaths):
        if repeats <= 0:
            return
        verdict.repeats[cause] += 1
        repeats -= 1
    if repeats > 0:
        verdict.unexplained.append(event.number)


def _causes(event: Event, deaths: list[float]) -> Iterator[str]:
    yield from [TWICE] * (event.copies - 1)
    yield from [RESULT] * event.resends
    yield from (DELIVERY for cut in event.cuts if _may_repeat(event, cut, deaths))


def _may_repeat(event: Event, cut: Cut, deaths: list[float]) -> bool:
    """What is worked still when it comes again has no second result, unless the host died before it came."""
    first = min(event.sends, key=lambda send: send.at, default=None)
    # Without a connection to its target it was on disk, perhaps, and acknowledged into the void.
    if cut.forgotten or first is None or first.at < cut.at or first.began > cut.at:
        return True
    acked = math.inf if event.acked is None else event.acked
    return any(cut.at <= death < acked for death in deaths)


def _find_disorder(ledger: Ledger) -> Iterator[tuple[int, int]]:
    """Events of the ordered rule whose first result came after that of a later one of their device."""
    firsts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, results in ledger.results.items():
        event = ledger.events.get(number)
        if event is not None and event.rule == ORDERED:
            firsts[event.device].append((results[0].order, number))
    for arrived in firsts.values():
        newest = -1
        for _, number in sorted(arrived):
            if number < newest:
                yield number, newest
            newest = max(newest, number)
