"""Which rate a load tries next, and whether the function kept up with the last one."""

from collections.abc import Sequence
from dataclasses import dataclass

from host.load.step import Step

KEPT_UP = 0.95  # of the offered rate
PLAINLY = 0.8  # below, there is no doubt
MOST_ERRORS = 0.01  # of the events
CLOSE = 1.2  # a knee known to a fifth is known well enough: what a gateway does besides moves it as far
LOWEST, HIGHEST = 1.0, 200_000.0  # events/s


@dataclass(frozen=True)
class Judged:
    """A step and what is wrong with it: `errors`, `behind`, `late`; None when the function held the rate."""

    step: Step
    trouble: str | None

    @property
    def held(self) -> bool:
        """Whether the function kept up."""
        return self.trouble is None

    @property
    def doubtful(self) -> bool:
        """Whether the machine may have had something else to do in those seconds."""
        return self.trouble in ("behind", "late") and self.step.answered >= PLAINLY * self.step.offered


def judge(step: Step, limit: float) -> Judged:
    """Whether the function kept up: answers, errors, and p99 within `limit` seconds.

    One event is forgiven: at a few events per second it would be more than the twentieth that may be late.
    """
    missing = (KEPT_UP * step.offered - step.answered) * step.events / step.offered
    if step.failed > MOST_ERRORS * step.events:
        return Judged(step, "errors")
    if missing > 1:
        return Judged(step, "behind")
    return Judged(step, "late" if step.p99 > limit else None)


@dataclass(frozen=True)
class Search:
    """The rates to try: those of `rates`, or from `first` on by doubling, then halving the interval."""

    first: float
    rates: tuple[float, ...] = ()

    def next_rate(self, steps: Sequence[Judged]) -> float | None:
        """The rate after these steps; None when the knee is known."""
        if self.rates:
            done = len(steps) == len(self.rates) or (steps and not steps[-1].held)
            return None if done else self.rates[len(steps)]
        held, failed = knee_of(steps)
        if failed is None:
            return self.first if held is None else _within(held * 2)
        if held is None:
            return _within(failed / 2)
        return rounded((held + failed) / 2) if failed > held * CLOSE else None


def knee_of(steps: Sequence[Judged]) -> tuple[float | None, float | None]:
    """The highest rate that was held, and the lowest that was not."""
    held = max((each.step.offered for each in steps if each.held), default=None)
    return held, min((each.step.offered for each in steps if not each.held), default=None)


def first_rate(closed_loop: float) -> float:
    """Where to begin with a function that does `closed_loop` events/s one after the other: well below."""
    for power in range(6, -1, -1):
        for digit in (5, 2, 1):
            if (rate := float(digit * 10**power)) <= closed_loop / 4:
                return rate
    return LOWEST


def rounded(rate: float) -> float:
    """`rate` with two digits, as people would choose it."""
    return float(f"{rate:.2g}")


def _within(rate: float) -> float | None:
    return rate if LOWEST <= rate <= HIGHEST else None
