"""Who is next: the events that wait in one lane, in their order, one at a time for each key."""

from collections import deque
from collections.abc import Callable

from triggers.delivery.backlog import LIMIT, Backlog
from triggers.delivery.work import Work

SWEEP = 1000
"""So many that gave way are let go of at once, if no more than that still wait."""


class Line:
    """Events in the order of their numbers. With `ordered`, those of one key never overtake each other.

    Of each ordered key at most one event is ready or taken; the others wait behind it until `release`.
    With `latest`, an event takes the place of an older one of the same device that waits. Those that give
    way to others are returned; the ones that had their place taken are marked as `gone`.
    """

    def __init__(self, *, ordered: bool = False, latest: bool = False) -> None:
        self._ordered = ordered
        self._latest = latest
        self._ready: Backlog[Work] = Backlog()
        self._behind: dict[str, deque[Work]] = {}
        self._newest: dict[str, Work] = {}
        self._count = 0
        self._gone = 0

    def __len__(self) -> int:
        """Events that wait; those that gave way are none."""
        return self._count

    @property
    def ready(self) -> int:
        """Events that nothing but the function's readiness keeps waiting."""
        return len(self._ready)

    def add(self, work: Work) -> list[Work]:
        """Let `work` wait."""
        superseded = self._supersede(work)
        if work.gone:
            return superseded
        if self._ordered and work.key in self._behind:
            return superseded + self._queue(self._behind[work.key], work)
        if self._ordered:
            self._behind[work.key] = deque()
        return superseded + self._make_ready(work)

    def take(self) -> Work | None:
        """The next event that may run, or None; its key is taken with it."""
        while self._ready:
            work = self._ready.take()
            if work.gone:
                self._gone -= 1
                self.release(work)
                continue
            self._count -= 1
            self._forget_newest(work)
            return work
        return None

    def put_back(self, work: Work) -> list[Work]:
        """`work`, which was taken, goes before all that came later."""
        superseded = self._supersede(work)
        if work.gone:
            self.release(work)
            return superseded
        return superseded + self._make_ready(work)

    def release(self, work: Work) -> None:
        """`work`, which was taken, is out of the way: the next of its key is ready."""
        if not self._ordered:
            return
        behind = self._behind[work.key]
        if behind:
            following = behind.popleft()
            self._ready.put(following.seq, following, sure=True)
        else:
            del self._behind[work.key]

    def is_held(self, key: str) -> bool:
        """Whether an event of `key` is ready, taken or comes later."""
        return key in self._behind

    def followers(self, key: str) -> list[Work]:
        """What waits behind the one of `key` that is ready or taken."""
        return [work for work in self._behind.get(key, ()) if not work.gone]

    def forget_sure(self) -> list[Work]:
        """Let go of what comes again from elsewhere: a broker, or the disk. Returns it."""
        forgotten = [work for work in self._let_go(lambda work: work.sure) if not work.gone]
        self._count -= len(forgotten)
        for work in forgotten:
            self._forget_newest(work)
        return forgotten

    def _make_ready(self, work: Work) -> list[Work]:
        self._count += 1
        given_way = self._ready.put(work.seq, work, sure=work.sure)
        if given_way is None:
            return []
        self.release(given_way)
        return self._give_way(given_way)

    def _queue(self, behind: "deque[Work]", work: Work) -> list[Work]:
        self._count += 1
        behind.append(work)
        if work.sure or len(behind) <= LIMIT:
            return []
        oldest = next(each for each in behind if not each.sure)
        behind.remove(oldest)
        return self._give_way(oldest)

    def _give_way(self, work: Work) -> list[Work]:
        if work.gone:
            self._gone -= 1
            return []
        self._count -= 1
        self._forget_newest(work)
        return [work]

    def _supersede(self, work: Work) -> list[Work]:
        """The older one of two of a device is gone: mostly the one that waits."""
        if not (self._latest and work.device):
            return []
        other = self._newest.get(work.device)
        if other is not None and other.seq > work.seq:
            work.gone = True
            return [work]
        self._newest[work.device] = work
        if other is None:
            return []
        other.gone = True
        self._count -= 1
        self._gone += 1
        self._sweep()
        return [other]

    def _forget_newest(self, work: Work) -> None:
        if self._newest.get(work.device) is work:
            del self._newest[work.device]

    def _sweep(self) -> None:
        """Without bound they would pile up while the function takes nothing."""
        if self._gone > max(SWEEP, self._count):
            self._let_go(lambda work: work.gone)

    def _let_go(self, which: Callable[[Work], bool]) -> list[Work]:
        heads = self._ready.let_go(which)
        followers = []
        for key, behind in self._behind.items():
            followers += [work for work in behind if which(work)]
            self._behind[key] = deque(work for work in behind if not which(work))
        for head in heads:
            self.release(head)
        self._gone -= sum(work.gone for work in (*heads, *followers))
        return [*heads, *followers]
