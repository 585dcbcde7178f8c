"""Events that wait in memory for the moment of their next attempt."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush

from triggers.delivery.work import Work


class Later:
    """Calls `take` with all events whose moment has come; times are those of the event loop."""

    def __init__(self, take: Callable[[list[Work]], None]) -> None:
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._heap: list[tuple[float, int, Work]] = []
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, work: Work, due: float) -> None:
        """Let `work` wait until `due`."""
        heappush(self._heap, (due, work.seq, work))
        self._set_timer()

    def clear(self) -> list[Work]:
        """Forget all that waits, and return it."""
        forgotten = [work for _, _, work in sorted(self._heap, key=lambda entry: entry[:2])]
        self._heap.clear()
        self._set_timer()
        return forgotten

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._heap[0][0], self._take_due) if self._heap else None

    def _take_due(self) -> None:
        now = self._loop.time()
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heappop(self._heap)[2])
        self._set_timer()
        self._take(due)
