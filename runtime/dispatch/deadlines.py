"""Keeps the deadlines of a pool's events: those that wait, and those that run."""

import asyncio
import time
from collections.abc import Callable

from runtime.dispatch.outcomes import Outcomes
from runtime.dispatch.ticket import Ticket
from runtime.dispatch.waiting import WaitingLine
from runtime.events import DeadlinePassedError
from runtime.slot import Slot

CANCEL_GRACE = 1.0
RECHECK = 0.1
MOST_LOOKS = 20
"""Times that an event which is next may be seen past its deadline and not begun: it is to be skipped at once.

Looks are counted, not seconds: after a pause of the machine all clocks have run on.
"""
SHORTEST_SLEEP = 0.005

_now = time.monotonic

Kill = Callable[[Slot, str], None]


class Deadlines:
    """Tells callers that it is too late and ends what still runs, gently where the function can be cancelled.

    `waiting` and `slots` are the queue's own; `kill` ends an instance for a reason.
    """

    def __init__(self, outcomes: Outcomes, waiting: WaitingLine, slots: set[Slot], kill: Kill) -> None:
        self._outcomes = outcomes
        self._spec = outcomes.spec
        self._waiting = waiting
        self._slots = slots
        self._kill = kill
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """An event came; its deadline is kept from now on."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._spec.timeout, self._look)

    def _look(self) -> None:
        self._timer = None
        now = _now()
        for ticket in self._waiting.overdue(now):
            self._outcomes.settle(ticket, self._too_late("before an instance was free"))
        for slot in list(self._slots):
            for ticket in [each for each in slot.running.values() if each.deadline <= now]:
                self._overdue(slot, ticket, now)
        self._rearm(now)

    def _rearm(self, now: float) -> None:
        deadlines = [ticket.deadline for slot in self._slots for ticket in slot.running.values()]
        if (first := self._waiting.first_deadline()) is not None:
            deadlines.append(first)
        if deadlines:
            self._timer = self._loop.call_later(max(SHORTEST_SLEEP, min(deadlines) - now), self._look)

    def _overdue(self, slot: Slot, ticket: Ticket, now: float) -> None:
        begun = slot.has_begun(ticket)
        if not begun:
            ticket.forget_sending()
        self._outcomes.settle(ticket, self._too_late("and it was stopped" if begun else "while it waited"))
        ticket.deadline = now + CANCEL_GRACE
        if not begun:
            self._look_again(slot, ticket, now)
        elif (slot.is_async or ticket.pieces is not None) and not ticket.cancelled:
            slot.cancel(ticket)
        else:
            self._kill(slot, f"an event ran past its deadline of {self._spec.timeout:g} s")

    def _look_again(self, slot: Slot, ticket: Ticket, now: float) -> None:
        # It will be skipped, unless it began between its own look at the clock and ours.
        ticket.deadline = now + RECHECK
        ticket.looks += ticket.number == min(slot.running)
        if ticket.looks == MOST_LOOKS:
            # The word in which it says what it has begun lies in memory that the function can write.
            late = f"{MOST_LOOKS * RECHECK:g} s past its deadline"
            self._kill(slot, f"it neither began nor skipped an event {late}")

    def _too_late(self, how: str) -> DeadlinePassedError:
        within = f"{self._spec.timeout:g} s"
        return DeadlinePassedError(f"{self._spec.label} gave no answer within {within}, {how}")
