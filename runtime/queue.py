"""The one queue of a pool: events wait here, idle slots take from it, deadlines are kept here."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from runtime.answers import MalformedAnswerError, describe_status, read_answer
from runtime.events import (
    Answer,
    DeadlinePassedError,
    Event,
    InstanceDiedError,
    InvocationError,
    QueueFullError,
)
from runtime.slot import Slot, Ticket
from runtime.spec import MIB, PoolSpec
from runtime.worker.frames import Frame

SHORT = 0.001
"""Seconds of service time below which events share a frame (design §6)."""
MAX_BATCH = 16
MAX_QUEUE_BYTES = 64 * MIB
CANCEL_GRACE = 1.0
RECHECK = 0.1
SMOOTHING = 0.2

_now = time.monotonic


class EventQueue:
    """Owns every ticket of a pool from its arrival to its answer; slots come and go."""

    def __init__(self, spec: PoolSpec, on_killed: Callable[[Slot, str], None]) -> None:
        self.spec = spec
        self.ok = 0
        self.failed = 0
        self.service_time = SHORT
        self.ready: set[Slot] = set()
        self._slots: set[Slot] = set()
        self._on_killed = on_killed
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Ticket] = deque()
        self._waiting_bytes = 0
        self._idle: list[Slot] = []
        self._pumping = False
        self._timer: asyncio.TimerHandle | None = None
        self._drained: asyncio.Event = asyncio.Event()
        self._shared = spec.concurrency > 1
        self._label = spec.label

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """Events that instances hold."""
        return sum(len(slot.running) for slot in self._slots)

    def submit(self, event: Event) -> "asyncio.Future[Answer]":
        """Take an event; raises QueueFullError when it would be one too many."""
        ticket = Ticket(event, self._loop.create_future(), _now() + self.spec.timeout)
        self._enqueue(ticket)
        if self._idle and not self._pumping:
            # At the end of this turn of the loop: what arrives in one turn shares a frame.
            self._pumping = True
            self._loop.call_soon(self._pump)
        if self._timer is None:
            self._timer = self._loop.call_later(self.spec.timeout, self._expire)
        return ticket.future

    def _pump(self) -> None:
        self._pumping = False
        for slot in self._idle[::-1]:
            if not self._waiting:
                break
            self._feed(slot)

    def _enqueue(self, ticket: Ticket) -> None:
        size = len(ticket.event.body)
        # What idle slots will take at the end of this turn does not wait.
        if len(self._waiting) >= self.spec.queue + len(self._idle):
            raise QueueFullError(f"{len(self._waiting)} events wait for {self.spec.function}, as many as may")
        if self._waiting and self._waiting_bytes + size > MAX_QUEUE_BYTES:
            raise QueueFullError(f"{self._waiting_bytes} bytes wait for {self.spec.function}, as many as may")
        self._waiting_bytes += size
        self._waiting.append(ticket)

    def add(self, slot: Slot) -> None:
        """A slot is ready to run events."""
        self.ready.add(slot)
        self._slots.add(slot)
        self._feed(slot)

    def withdraw(self, slot: Slot) -> None:
        """A slot takes no more events; what it runs it may finish."""
        self.ready.discard(slot)
        if slot in self._idle:
            self._idle.remove(slot)

    def answered(self, slot: Slot, frames: list[Frame]) -> None:
        """Settle what was answered, and hand the slot what waits."""
        for head, body in frames:
            ticket = slot.running.pop(head["n"], None)
            if ticket is None:
                continue
            try:
                outcome = read_answer(head, body, self._label)
            except MalformedAnswerError as error:
                slot.kill(f"it sent a malformed answer: {error}")
                outcome = InstanceDiedError(f"the instance of {self.spec.label} sent a malformed answer")
            slot.answered += 1
            self._settle(ticket, outcome)
        if slot in self.ready:
            self._feed(slot)
        if not self._waiting and not slot.running:
            self._drained.set()

    def _settle(self, ticket: Ticket, outcome: Answer | InvocationError) -> None:
        if isinstance(outcome, Answer):
            self.service_time += (outcome.seconds - self.service_time) * SMOOTHING
        if ticket.future.done():
            return
        if isinstance(outcome, Answer):
            self.ok += 1
            ticket.future.set_result(outcome)
        else:
            self.failed += 1
            ticket.future.set_exception(outcome)

    def _feed(self, slot: Slot) -> None:
        if slot.killed_for is not None:
            # Its end is on the way: what it were given now would die with it.
            if slot in self._idle:
                self._idle.remove(slot)
            return
        if self._waiting and (batch := self._take(self._room(slot))):
            slot.send(batch)
        running = len(slot.running)
        if running == 0 or (self._shared and running < self.spec.concurrency):
            if slot not in self._idle:
                self._idle.append(slot)
        elif slot in self._idle:
            self._idle.remove(slot)

    def _room(self, slot: Slot) -> int:
        if self._shared:
            return self.spec.concurrency - len(slot.running)
        if slot.running:
            return 0
        if self.service_time >= SHORT:
            return 1
        share = -(-len(self._waiting) // max(1, len(self.ready)))
        return min(MAX_BATCH, share)

    def _take(self, room: int) -> list[Ticket]:
        batch: list[Ticket] = []
        while self._waiting and len(batch) < room:
            ticket = self._waiting.popleft()
            self._waiting_bytes -= len(ticket.event.body)
            if not ticket.future.done():
                batch.append(ticket)
        return batch

    def gone(self, slot: Slot) -> None:
        """A slot's instance is dead: what it had begun has failed, the rest goes elsewhere."""
        self.withdraw(slot)
        self._slots.discard(slot)
        tickets = list(slot.running.values())
        slot.running.clear()
        reason = self._reason(slot)
        spared: list[Ticket] = []
        for ticket in tickets:
            if not slot.has_begun(ticket) or self._may_repeat(ticket):
                spared.append(ticket)
            else:
                self._settle(ticket, InstanceDiedError(reason))
        self._put_back(spared)

    def _may_repeat(self, ticket: Ticket) -> bool:
        if not self.spec.idempotent or ticket.repeated:
            return False
        ticket.repeated = True
        return True

    def _put_back(self, tickets: list[Ticket]) -> None:
        for ticket in reversed(tickets):
            if not ticket.future.done():
                self._waiting_bytes += len(ticket.event.body)
                self._waiting.appendleft(ticket)
        for slot in list(self._idle):
            self._feed(slot)
        self._drained.set()

    def _reason(self, slot: Slot) -> str:
        what = f"the instance of {self.spec.label} (pid {slot.pid})"
        if slot.killed_for:
            return f"{what} was killed: {slot.killed_for}"
        return f"{what} {describe_status(slot.status or 0)}"

    def fail_waiting(self, error: InvocationError) -> None:
        """Nobody will ever take what waits."""
        waiting, self._waiting = self._waiting, deque()
        self._waiting_bytes = 0
        for ticket in waiting:
            self._settle(ticket, error)
        self._drained.set()

    async def drained(self) -> None:
        """Return when nothing waits and nothing runs."""
        while self._waiting or self.in_flight:
            self._drained.clear()
            await self._drained.wait()

    def _expire(self) -> None:
        self._timer = None
        now = _now()
        while self._waiting and self._waiting[0].deadline <= now:
            ticket = self._waiting.popleft()
            self._waiting_bytes -= len(ticket.event.body)
            self._settle(ticket, self._too_late("before an instance was free"))
        for slot in list(self._slots):
            for ticket in [each for each in slot.running.values() if each.deadline <= now]:
                self._overdue(slot, ticket, now)
        self._rearm(now)

    def _rearm(self, now: float) -> None:
        deadlines = [ticket.deadline for slot in self._slots for ticket in slot.running.values()]
        if self._waiting:
            deadlines.append(self._waiting[0].deadline)
        if deadlines:
            self._timer = self._loop.call_later(max(0.005, min(deadlines) - now), self._expire)

    def _overdue(self, slot: Slot, ticket: Ticket, now: float) -> None:
        self._settle(
            ticket, self._too_late("and it was stopped" if slot.has_begun(ticket) else "while it waited")
        )
        if not slot.has_begun(ticket):
            # It will be skipped, unless it began between its own look at the clock and ours.
            ticket.deadline = now + RECHECK
        elif slot.is_async and not ticket.cancelled:
            ticket.cancelled = True
            ticket.deadline = now + CANCEL_GRACE
            slot.cancel(ticket)
        else:
            ticket.deadline = now + CANCEL_GRACE
            self._on_killed(slot, f"an event ran past its deadline of {self.spec.timeout:g} s")

    def _too_late(self, how: str) -> DeadlinePassedError:
        return DeadlinePassedError(f"{self.spec.label} gave no answer within {self.spec.timeout:g} s, {how}")
