"""What was asked of this program, and how far what came out lies from it."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """The median of what was measured anew each time, and the least and the greatest.

    From the least to the greatest of seven is a 98.4 % confidence interval of the median (sign test:
    1 - 2 / 2**7), whatever the distribution.
    """

    median: float
    least: float
    greatest: float
    count: int

    def __str__(self) -> str:
        if self.count == 1:
            return short(self.median)
        return f"{short(self.median)} ({short(self.least)} to {short(self.greatest)})"


@dataclass(frozen=True)
class Goal:
    """`met` is None when it was not measured; `value` says why then."""

    text: str
    value: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """One word or two."""
        return {True: "met", False: "MISSED", None: "not measured"}[self.met]

    def __str__(self) -> str:
        return f"goal {self.text}: {self.verdict} ({self.value})"


def short(value: float) -> str:
    """Three digits that count, or all of a larger number."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def interval(values: Sequence[float]) -> Interval:
    """The interval of values, of which there is at least one."""
    return Interval(statistics.median(values), min(values), max(values), len(values))


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Interval:
    """Ours over theirs, round by round: what the machine does in a round hits both.

    A round in which a busy machine let them do nothing counts as endless.
    """
    rounds = zip(ours, theirs, strict=True)
    return interval([one / other if other else math.inf for one, other in rounds])


def at_least(text: str, measured: Interval, least: float, unit: str = "×") -> Goal:
    """A goal that is met when the interval reaches it from below."""
    return Goal(f"{text} ≥ {least:g}{unit}", f"{measured}{unit}", measured.greatest >= least)


def at_most(text: str, measured: Interval, most: float, unit: str) -> Goal:
    """A goal that is met when the interval reaches it from above."""
    return Goal(f"{text} ≤ {most:g}{unit}", f"{measured}{unit}", measured.least <= most)


def tail_at_most(text: str, values: Sequence[float], most: float, unit: str) -> Goal:
    """A goal for the 99th percentile of single values."""
    p99 = percentile(values, 99)
    rest = {"median": statistics.median(values), "least": min(values), "greatest": max(values)}
    told = ", ".join(f"{name} {short(value)}" for name, value in rest.items())
    return Goal(
        f"{text}, p99 ≤ {most:g}{unit}", f"{short(p99)}{unit} ({len(values)} times; {told})", p99 <= most
    )


def unmeasured(text: str, why: str) -> Goal:
    """A goal of which nothing is known."""
    return Goal(text, why, None)


def percentile(values: Sequence[float], share: int) -> float:
    """The nearest-rank percentile: the least value that so many per cent of all do not exceed."""
    return sorted(values)[math.ceil(len(values) * share / 100) - 1]
