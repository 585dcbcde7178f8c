"""Who may grow and who goes first when the pools come near the memory budget; pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from runtime.scaling.decisions import Measurement, Room
from runtime.scaling.memory import Figure
from runtime.spec import ScaleRule

REREAD_AFTER = 5.0
REREAD_CHANGED_AFTER = 1.0
LEAST_ARBITER = 25 * 10**6
LEAST_INSTANCE = 2 * 10**6
"""Bytes that an arbiter and an instance of a pool that was not read take at least.

Real pools of one instance (smaps_rollup, Python 3.11, beside other Pythons) have a PSS of 12 MB without
dependencies and of 25 MB with numpy imported; each instance holds 2.0 to 2.3 MB alone.
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """What all pools use and may use, in bytes; `low`: the machine itself has hardly any left.

    `unread` of what is used is the guess for pools that were not read yet.
    """

    used: int
    budget: int
    low: bool = False
    unread: int = 0

    @property
    def over(self) -> bool:
        """Whether no pool may grow."""
        return self.low or self.used > self.budget

    @property
    def short(self) -> bool:
        """Whether idle pools must give some back: none is cooled for a guess."""
        return self.low or self.used - self.unread > self.budget


def find_typical(figures: Iterable[Figure]) -> Figure:
    """A pool without instances as those that were read are on average; it stands for one that was not read.

    Of an average, large ones and small ones together come out right. Where none was read, the least is taken.
    """
    read = [figure for figure in figures if figure.pss]
    arbiters = [figure.pss - (figure.processes - 1) * figure.growth for figure in read]
    growths = [figure.growth for figure in read if figure.growth]
    arbiter = max(LEAST_ARBITER, sum(arbiters) // max(1, len(arbiters)))
    instance = max(LEAST_INSTANCE, sum(growths) // max(1, len(growths)))
    return Figure(at=-inf, pss=arbiter, processes=1, growth=instance)


def complete(figure: Figure | None, typical: Figure) -> Figure:
    """The figure, with a guess for what is not known of it: all, where the processes may not be read."""
    if figure is None or not figure.pss:
        return typical
    return figure if figure.growth else replace(figure, growth=typical.growth)


def expect(figure: Figure, wanted: int) -> int:
    """Bytes that a pool of so many instances will use."""
    return figure.pss + max(0, wanted + 1 - figure.processes) * figure.growth


def count_fitting(memory: Memory, figure: Figure, counted: int) -> int:
    """How many instances a pool may have in all; `counted` bytes of what is used are its own."""
    if memory.over:
        return 0
    arbiter = figure.pss - (figure.processes - 1) * figure.growth
    return max(0, memory.budget - memory.used + counted - arbiter) // figure.growth


def room_for(memory: Memory, fitting: int, seen: Measurement, rule: ScaleRule) -> Room | None:
    """How many more instances a pool may have; None when the budget does not limit them."""
    if fitting >= max(rule.max, seen.fixed or 0):
        return None
    return Room(max(0, fitting - seen.instances), memory.used, memory.budget, memory.low)


def may_cool(seen: Measurement, rule: ScaleRule) -> bool:
    """Whether memory can be had from this pool: it has processes, none works, and none was promised."""
    return seen.idle and seen.temperature != "cold" and rule.min == 0 and not seen.fixed


def find_coldest(pools: Iterable[tuple[Measurement, ScaleRule]]) -> int | None:
    """The index of the least recently used pool of those that may be cooled."""
    idle: Sequence[tuple[float, int]] = [
        (seen.last_used, index) for index, (seen, rule) in enumerate(pools) if may_cool(seen, rule)
    ]
    return min(idle)[1] if idle else None


def is_stale(figure: Figure | None, seen: Measurement) -> bool:
    """Whether a pool should be read again: it was used since, or has another number of processes."""
    if figure is None:
        return seen.temperature != "cold"
    age = seen.now - figure.at
    if figure.processes != seen.instances + 1 and age >= REREAD_CHANGED_AFTER:
        return True
    return seen.last_used > figure.at - REREAD_CHANGED_AFTER and age >= REREAD_AFTER
