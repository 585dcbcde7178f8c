"""Whose turn it is to boot: no more arbiters at a time than the processors can bear, in order of asking."""

from collections.abc import Callable, Hashable


class Turns:
    """At most `most` holders at a time; whoever waits is woken when a turn is free."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: set[Hashable] = set()
        self._waiting: dict[Hashable, Callable[[], None]] = {}

    def take(self, who: Hashable, wake: Callable[[], None]) -> bool:
        """Whether it is `who`'s turn; else `wake` is called when it may be, and it is to be asked again."""
        if who in self._held:
            return True
        first = next(iter(self._waiting), who)
        if len(self._held) >= self._most or first != who:
            self._waiting.setdefault(who, wake)
            return False
        self._waiting.pop(who, None)
        self._held.add(who)
        return True

    def leave(self, who: Hashable) -> None:
        """It waits for no turn any more, and holds none."""
        self._waiting.pop(who, None)
        self.give_back(who)

    def give_back(self, who: Hashable) -> None:
        """It holds no turn any more; one that it waits for it still gets."""
        self._held.discard(who)
        for wake in list(self._waiting.values())[: self._most - len(self._held)]:
            wake()
