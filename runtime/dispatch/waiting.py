"""The events that wait for a pool: bounded, and shared out fairly among those who sent them."""

import time
from collections import deque
from collections.abc import Callable, Iterable

from runtime.dispatch.ticket import Ticket
from runtime.events import QueueFullError

Line = deque[Ticket]

LOOK_EVERY = 0.1


class WaitingLine:
    """Each caller's events wait in the order of their arrival; the callers take turns (round robin).

    So one who sends a thousand keeps nobody's single event waiting behind them. When no room is left, the
    newest event of whoever has the most makes room for one who has less (longest queue drop: Suter et al.,
    "Design considerations for supporting TCP with per-flow queueing", 1998). `most` counts events,
    `most_bytes` their bodies; one event alone may always wait. `on_left` hears of those that leave because
    nobody waits for them any more.
    """

    def __init__(
        self,
        most: int,
        most_bytes: int,
        on_left: Callable[[Ticket], None] = lambda ticket: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_left = on_left
        self._most = most
        self._most_bytes = most_bytes
        self._lines: dict[str, Line] = {}
        self._turns: deque[str] = deque()
        self._count = 0
        self._bytes = 0
        self._clock = clock
        self._look_at = 0.0

    def __len__(self) -> int:
        return self._count

    def put(self, ticket: Ticket, leaving: int) -> list[Ticket]:
        """Take an event in; returns those that had to make room for it, which wait no longer.

        `leaving` is how many are about to be taken and do not count. Raises QueueFullError.
        """
        size = len(ticket.event.body)
        most = self._most + leaving
        dropped = [] if self._fits(size, most) else self._make_room(ticket, size, most)
        self._append(ticket)
        return dropped

    def put_back(self, tickets: Iterable[Ticket]) -> None:
        """Events that were taken and came back wait before all others of their callers."""
        for ticket in reversed(list(tickets)):
            self._line_of(ticket.event.caller).appendleft(ticket)
            self._count += 1
            self._bytes += len(ticket.event.body)

    def take(self, most: int) -> list[Ticket]:
        """Up to so many events that somebody still waits for, by turns."""
        taken: list[Ticket] = []
        turns = self._turns
        while self._count and len(taken) < most:
            caller = turns[0]
            ticket = self._lines[caller].popleft()
            self._left(caller, ticket)
            if len(turns) > 1 and turns[0] == caller:
                turns.rotate(-1)
            if ticket.future.done():
                self._on_left(ticket)
            else:
                taken.append(ticket)
        return taken

    def overdue(self, now: float) -> list[Ticket]:
        """Take out those whose deadline has passed; the oldest of a caller come first."""
        passed: list[Ticket] = []
        for caller, line in list(self._lines.items()):
            while line and line[0].deadline <= now:
                passed.append(ticket := line.popleft())
                self._left(caller, ticket)
        return passed

    def first_deadline(self) -> float | None:
        """The deadline that passes first."""
        return min((line[0].deadline for line in self._lines.values()), default=None)

    def forget_cancelled(self) -> None:
        """Let go of events that nobody waits for any more; looked for ten times a second at most."""
        now = self._clock()
        if not self._count or now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY
        for caller, line in list(self._lines.items()):
            if any(ticket.future.done() for ticket in line):
                tickets = list(line)
                line.clear()
                for ticket in tickets:
                    self._count -= 1
                    self._bytes -= len(ticket.event.body)
                    if ticket.future.done():
                        self._on_left(ticket)
                    else:
                        self._append(ticket)
                self._forget_empty(caller)

    def clear(self) -> list[Ticket]:
        """Take all of them out."""
        return self.take(self._count)

    def _fits(self, size: int, most: int) -> bool:
        return self._count < most and (not self._count or self._bytes + size <= self._most_bytes)

    def _make_room(self, ticket: Ticket, size: int, most: int) -> list[Ticket]:
        self.forget_cancelled()
        dropped: list[Ticket] = []
        while not self._fits(size, most):
            longest = self._longest(by_bytes=self._count < most)
            if not self._has_less(ticket, longest, by_bytes=self._count < most):
                for each in reversed(dropped):
                    self._append(each)
                raise QueueFullError(
                    f"{self._count} events of {self._bytes} bytes wait, as many as may (`queue` in"
                    " function.yaml, `limits.queue_bytes` of the config)"
                )
            dropped.append(last := self._lines[longest].pop())
            self._left(longest, last)
        return dropped

    def _longest(self, by_bytes: bool) -> str:
        return max(self._lines, key=lambda caller: self._weight(caller, by_bytes))

    def _has_less(self, ticket: Ticket, longest: str, by_bytes: bool) -> bool:
        caller = ticket.event.caller
        added = len(ticket.event.body) if by_bytes else 1
        return caller != longest and self._weight(caller, by_bytes) + added < self._weight(longest, by_bytes)

    def _weight(self, caller: str, by_bytes: bool) -> int:
        line = self._lines.get(caller, ())
        return sum(len(each.event.body) for each in line) if by_bytes else len(line)

    def _append(self, ticket: Ticket) -> None:
        self._line_of(ticket.event.caller).append(ticket)
        self._count += 1
        self._bytes += len(ticket.event.body)

    def _line_of(self, caller: str) -> Line:
        line = self._lines.get(caller)
        if line is None:
            line = self._lines[caller] = deque()
            self._turns.append(caller)
        return line

    def _left(self, caller: str, ticket: Ticket) -> None:
        self._count -= 1
        self._bytes -= len(ticket.event.body)
        self._forget_empty(caller)

    def _forget_empty(self, caller: str) -> None:
        if not self._lines[caller]:
            del self._lines[caller]
            self._turns.remove(caller)
