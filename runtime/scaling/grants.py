"""First instances that start although the memory budget is used up: how many may be out at a time."""

from runtime.scaling.budget import Memory
from runtime.scaling.memory import Sampled

MOST_BEYOND = 1.1
"""Of the budget: idle pools are cooled one a second, and the budget leaves a quarter of the machine free."""


class Grants:
    """One for each pool that can be cooled in return; one where none can, or a function might never run.

    From a tenth beyond the budget on, there is not another. A grant is out until its pool is cold again, or
    until the pools are within the budget: idle ones were cooled, or the new one was found small when read.
    """

    def __init__(self) -> None:
        self._coolable: set[Sampled] = set()
        self._granted: dict[Sampled, float] = {}

    def ask(self, pool: Sampled, memory: Memory, now: float) -> bool:
        """Grant the pool its first instance, if one is left; none while the machine is low on memory."""
        if not memory.over:
            self._granted.clear()
        # An idle pool that runs by a grant itself is what is beyond the budget; nothing can be had from it.
        left = len(self._coolable - self._granted.keys()) - len(self._granted)
        full = left <= 0 or memory.used > memory.budget * MOST_BEYOND
        if memory.low or (self._granted and full):
            return False
        self.give(pool, now)
        return True

    def give(self, pool: Sampled, now: float) -> None:
        """Without asking how many there are."""
        self._granted[pool] = now

    def since(self, moment: float) -> list[Sampled]:
        """The pools with grants that are not older than this, in seconds of the loop's clock."""
        return [pool for pool, at in self._granted.items() if at > moment]

    def note(self, pool: Sampled, coolable: bool) -> None:
        """What was seen of a pool that has processes, or gets some."""
        if coolable:
            self._coolable.add(pool)
        else:
            self._coolable.discard(pool)

    def forget(self, pool: Sampled) -> None:
        """The pool has no process any more."""
        self._coolable.discard(pool)
        self._granted.pop(pool, None)
