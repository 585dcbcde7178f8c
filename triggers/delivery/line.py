"""Who is next: the events that wait in one lane, in their order, one at a time for each key."""

from collections import deque

from triggers.delivery.backlog import LIMIT, Backlog
from triggers.delivery.work import Work


class Line:
    """Events in the order of their numbers. With `ordered`, those of one key never overtake each other.

    Of each ordered key at most one event is ready or taken; the others wait behind it until `release`.
    With `latest`, an event takes the place of one of the same device that waits.
    """

    def __init__(self, *, ordered: bool = False, latest: bool = False) -> None:
        self._ordered = ordered
        self._latest = latest
        self._ready: Backlog[Work] = Backlog()
        self._behind: dict[str, deque[Work]] = {}
        self._newest: dict[str, Work] = {}
        self._count = 0

    def __len__(self) -> int:
        """Events that wait; those that gave way are none."""
        return self._count

    @property
    def ready(self) -> int:
        """Events that nothing but the function's readiness keeps waiting."""
        return len(self._ready)

    def add(self, work: Work) -> Work | None:
        """Let `work` wait; returns the one that gives way to it, or None."""
        self._count += 1
        superseded = self._supersede(work) if self._latest and work.device else None
        if not self._ordered:
            given_way = self._ready.put(work.seq, work, sure=work.sure)
        elif work.key in self._behind:
            given_way = self._queue(self._behind[work.key], work)
        else:
            self._behind[work.key] = deque()
            given_way = self._ready.put(work.seq, work, sure=work.sure)
            if given_way is not None:
                self.release(given_way)
        self._count -= given_way is not None and not given_way.gone
        return superseded or given_way

    def take(self) -> Work | None:
        """The next event that may run, or None; its key is taken with it."""
        while self._ready:
            work = self._ready.take()
            if work.gone:
                self.release(work)
                continue
            self._count -= 1
            if self._newest.get(work.device) is work:
                del self._newest[work.device]
            return work
        return None

    def put_back(self, work: Work) -> Work | None:
        """`work`, which was taken, goes before all that came later; returns one that gives way, or None."""
        self._count += 1
        given_way = self._ready.put(work.seq, work, sure=work.sure)
        if given_way is not None:
            self._count -= not given_way.gone
            self.release(given_way)
        return given_way

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
        return list(self._behind.get(key, ()))

    def forget_sure(self) -> list[Work]:
        """Let go of what comes again from elsewhere: a broker, or the disk. Returns it."""
        forgotten = self._ready.sure()
        self._ready.forget_sure()
        for behind in self._behind.values():
            forgotten += [work for work in behind if work.sure]
            kept = [work for work in behind if not work.sure]
            behind.clear()
            behind.extend(kept)
        self._count = len(self._ready) + sum(len(behind) for behind in self._behind.values())
        return forgotten

    def _supersede(self, work: Work) -> Work | None:
        older = self._newest.get(work.device)
        self._newest[work.device] = work
        if older is None:
            return None
        older.gone = True
        self._count -= 1
        return older

    def _queue(self, behind: "deque[Work]", work: Work) -> Work | None:
        behind.append(work)
        if work.sure or len(behind) <= LIMIT:
            return None
        oldest = next(each for each in behind if not each.sure)
        behind.remove(oldest)
        return oldest
