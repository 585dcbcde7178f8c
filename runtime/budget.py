"""Who may grow and who goes first when the pools come near the memory budget; pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runtime.decisions import Measurement, Room
from runtime.memory import Figure
from runtime.spec import ScaleRule

REREAD_AFTER = 5.0
REREAD_CHANGED_AFTER = 1.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What all pools use and may use, in bytes; `low`: the machine itself has hardly any left."""

    used: int
    budget: int
    low: bool = False

    @property
    def over(self) -> bool:
        """Whether no pool may grow."""
        return self.low or self.used > self.budget


def expect(figure: Figure | None, wanted: int) -> int:
    """Bytes that a pool of so many instances will use; a pool that was never read counts nothing."""
    if figure is None:
        return 0
    return figure.pss + max(0, wanted + 1 - figure.processes) * figure.growth


def room_for(memory: Memory, figure: Figure | None, seen: Measurement, rule: ScaleRule) -> Room | None:
    """How many more instances a pool may have; None when the budget does not limit them."""
    growth = figure.growth if figure else 0
    if memory.over:
        more = 0
    elif growth:
        more = (memory.budget - memory.used) // growth
    else:
        return None
    if seen.instances + more >= max(rule.max, seen.fixed or 0):
        return None
    return Room(more, memory.used, memory.budget, memory.low)


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
