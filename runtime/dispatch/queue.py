"""The one queue of a pool: events wait here, and idle slots take from it."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from copy import copy

from runtime.answers import describe_status
from runtime.dispatch.deadlines import Deadlines
from runtime.dispatch.gathering import Gathering
from runtime.dispatch.outcomes import Outcomes
from runtime.dispatch.ticket import Ticket
from runtime.dispatch.waiting import WaitingLine
from runtime.events import Answer, Event, InstanceDiedError, InvocationError, QueueFullError
from runtime.observations import Observer
from runtime.slot import Slot
from runtime.spec import PoolSpec
from runtime.worker.frames import Frame

SHORT = 0.001
"""Seconds of service time below which events share a frame (design §6)."""
DRAIN_LOOK = 0.1
QUIET = 0.01
"""Seconds between two times of telling that events wait."""

_now = time.monotonic


class EventQueue:
    """Owns every ticket of a pool from its arrival to its answer; slots come and go.

    `latest` is when an event last came or ended, on the monotonic clock; `observer` is told of each end.
    `kill` ends an instance for a reason; `on_crowded` is called when events wait that no instance can take
    now.
    """

    def __init__(
        self,
        spec: PoolSpec,
        kill: Callable[[Slot, str], None],
        on_crowded: Callable[[], None],
        observer: Observer | None = None,
    ) -> None:
        self.spec = spec
        self.arrived = 0
        self.latest = _now()
        self.ready: set[Slot] = set()
        self._slots: set[Slot] = set()
        self._loop = asyncio.get_running_loop()
        self.outcomes = Outcomes(spec, observer or Observer())
        self._waiting = WaitingLine(spec.queue, spec.bounds.queue_bytes, self.outcomes.abandon)
        self._deadlines = Deadlines(self.outcomes, self._waiting, self._slots, kill)
        self._on_crowded = on_crowded
        self._quiet_until = 0.0
        self._gathering = Gathering(spec.batch) if spec.batch else None
        self._pause: asyncio.TimerHandle | None = None
        self._idle: list[Slot] = []
        self._pumping = False
        self._drained = asyncio.Event()
        self._closed: InvocationError | None = None
        self._shared = spec.concurrency > 1

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """Events that instances hold."""
        return sum(len(slot.running) for slot in self._slots)

    @property
    def busy(self) -> int:
        """Instances that hold events."""
        return sum(bool(slot.running) for slot in self._slots)

    @property
    def oldest(self) -> float:
        """For how many seconds the oldest event has been waiting; 0.0 when none waits."""
        deadline = self._waiting.first_deadline()
        return 0.0 if deadline is None else max(0.0, _now() - (deadline - self.spec.timeout))

    def forget_cancelled(self) -> None:
        """Let go of events that nobody waits for any more."""
        self._waiting.forget_cancelled()

    def submit(self, event: Event) -> "asyncio.Future[Answer]":
        """Take an event; raises QueueFullError when it would be one too many."""
        now = _now()
        ticket = Ticket(event, self._loop.create_future(), now, self.spec.timeout)
        # What idle slots will take at the end of this turn does not wait.
        for crowded_out in self._waiting.put(ticket, len(self._idle)):
            self.outcomes.settle(crowded_out, QueueFullError(f"others wait for {self.spec.function} as well"))
        self.arrived += 1
        self.latest = now
        if self._gathering is not None:
            self._gathering.arrived(now)
        if self._idle and len(self._waiting) == 1:
            # Alone, it goes at once: a turn of the loop later is 30 µs later for one caller.
            self._pump()
        elif not self._pumping:
            # At the end of this turn of the loop: what arrives in one turn shares a frame.
            self._pumping = True
            self._loop.call_soon(self._pump)
        self._deadlines.watch()
        return ticket.future

    def _pump(self) -> None:
        self._pumping = False
        for slot in self._idle[::-1]:
            if not self._waiting:
                break
            self._feed(slot)
        if self._waiting and self.latest >= self._quiet_until:
            # Under full load there is always something that waits.
            self._quiet_until = self.latest + QUIET
            self._on_crowded()

    def add(self, slot: Slot) -> None:
        """A slot is ready to run events."""
        self.ready.add(slot)
        self._slots.add(slot)
        self._feed(slot)

    def withdraw(self, slot: Slot) -> None:
        """A slot takes no more events; what it runs it may finish."""
        self.ready.discard(slot)
        self._not_idle(slot)

    def answered(self, slot: Slot, frames: list[Frame]) -> None:
        """Settle what was answered, and hand the slot what waits."""
        for head, body in frames:
            self.outcomes.take_in(slot, head, body)
        self.latest = _now()
        if slot in self.ready:
            self._feed(slot)
        if not self._waiting and not slot.running:
            self._drained.set()

    def _feed(self, slot: Slot) -> None:
        if slot.killed_for is not None:
            # Its end is on the way: what it were given now would die with it.
            self._not_idle(slot)
            return
        if self._waiting:
            self._hand_out(slot)
        running = len(slot.running)
        if running == 0 or (self._shared and running < self.spec.concurrency):
            if slot not in self._idle:
                self._idle.append(slot)
        else:
            self._not_idle(slot)

    def _not_idle(self, slot: Slot) -> None:
        if slot in self._idle:
            self._idle.remove(slot)

    def _hand_out(self, slot: Slot) -> None:
        if slot.takes_batches and self._gathering is not None:
            self._hand_out_batch(slot, self._gathering)
        elif tickets := self._waiting.take(self._room(slot)):
            slot.send(tickets)

    def _room(self, slot: Slot) -> int:
        if self._shared:
            return self.spec.concurrency - len(slot.running)
        if slot.running:
            return 0
        known = self.outcomes.service.seconds
        if known is None or known >= SHORT:
            return 1
        share = -(-len(self._waiting) // max(1, len(self.ready)))
        return min(self.spec.bounds.frame, share)

    def _hand_out_batch(self, slot: Slot, gathering: Gathering) -> None:
        if slot.running or self.spec.batch is None:
            return
        waiting = len(self._waiting)
        idle = max(1, sum(not each.running for each in self.ready))
        oldest = (self._waiting.first_deadline() or 0.0) - self.spec.timeout
        if self._pause is not None:
            self._pause.cancel()
        if (pause := gathering.pause(waiting, idle, oldest, _now())) > 0:
            self._pause = self._loop.call_later(pause, self._pump)
        elif tickets := self._waiting.take(min(self.spec.batch.max_size, -(-waiting // idle))):
            gathering.sent(waiting + self.in_flight)
            slot.send_batch(tickets)

    def gone(self, slot: Slot) -> None:
        """A slot's instance is dead: what it had begun has failed, the rest goes elsewhere."""
        self.withdraw(slot)
        self._slots.discard(slot)
        tickets = list(slot.running.values())
        slot.running.clear()
        reason = self._reason(slot)
        spared: list[Ticket] = []
        for ticket in tickets:
            if not slot.has_begun(ticket):
                ticket.forget_sending()
                spared.append(ticket)
            elif self._may_repeat(ticket):
                spared.append(ticket)
            else:
                ticket.end()
                self.outcomes.settle(ticket, InstanceDiedError(reason))
        self._put_back(spared)

    def _may_repeat(self, ticket: Ticket) -> bool:
        if not self.spec.idempotent or ticket.repeated or ticket.pieces is not None:
            return False
        ticket.repeated = True
        return True

    def _put_back(self, tickets: list[Ticket]) -> None:
        for ticket in tickets:
            ticket.number = 0
            if ticket.future.done():
                ticket.end()
                self.outcomes.abandon(ticket)
            else:
                ticket.forget_sending()
        self._waiting.put_back([ticket for ticket in tickets if not ticket.future.done()])
        if self._closed is not None:
            self.fail_waiting(self._closed)
        for slot in list(self._idle):
            self._feed(slot)
        self._drained.set()

    def _reason(self, slot: Slot) -> str:
        what = f"the instance of {self.spec.label} (pid {slot.pid})"
        if slot.killed_for:
            return f"{what} was killed: {slot.killed_for}"
        return f"{what} {describe_status(slot.status or 0)}"

    def close(self, error: InvocationError) -> None:
        """From now on nothing is taken: what waits fails, and what comes back from an instance."""
        self._closed = error
        self.fail_waiting(error)

    def fail_waiting(self, error: InvocationError) -> None:
        """Nobody will ever take what waits."""
        for ticket in self._waiting.clear():
            # Each its own: what is told of it beside its text differs.
            self.outcomes.settle(ticket, copy(error))
        self._drained.set()

    async def drained(self) -> None:
        """Return when nothing waits and nothing runs."""
        while self._waiting or self.in_flight:
            self._drained.clear()
            with contextlib.suppress(TimeoutError):
                # Callers that hang up, and deadlines, leave nothing to wait for and tell nobody.
                await asyncio.wait_for(self._drained.wait(), DRAIN_LOOK)
            self._waiting.forget_cancelled()
