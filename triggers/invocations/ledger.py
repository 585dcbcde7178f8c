"""What is on disk of asynchronous invocations: looked up, called off, and brought to their end."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from runtime.events import Answer, Event, InvocationError
from triggers.delivery.work import Work, head_of
from triggers.http_answers import encode_answer
from triggers.invocations.acceptance import LANES
from triggers.invocations.attempts import Attempts
from triggers.invocations.records import (
    CANCELLED,
    RUNNING,
    WAITING,
    Case,
    End,
    cancelled,
    done,
    failed,
    letter_of,
)
from triggers.store.changes import AddLetters, Change, DropEvents, SaveInvocation
from triggers.store.failpoints import Failpoints
from triggers.store.rows import NEVER, Invocation
from triggers.store.store import DeliveryStore

SMALL = 64 * 1024
"""Bytes of a result that the reserve of the quota is for."""


class UnknownInvocationError(LookupError):
    """There is no invocation of this id; there never was, or its result is no longer kept."""


class FinishedInvocationError(Exception):
    """The invocation has ended already."""


class NoRoomError(InvocationError):
    """The function's answer does not fit into what delivery may take on disk."""

    status = 507


@dataclass(frozen=True)
class LedgerParts:
    """`finished` hears the id of each invocation with a callback whose end is on disk.

    Results are kept for `result_age` seconds of the steady clock; both clocks give seconds since the epoch.
    """

    store: DeliveryStore
    failpoints: Failpoints
    attempts: Attempts
    finished: Callable[[str], None]
    result_age: float
    steady: Callable[[], float]
    clock: Callable[[], float] = time.time


class Ledger:
    """Owns the records once they are accepted; each is changed by one at a time."""

    def __init__(self, parts: LedgerParts) -> None:
        self._parts = parts
        self._store = parts.store
        self._attempts = parts.attempts

    async def find(self, event_id: str) -> Invocation:
        """What is known of an invocation; raises UnknownInvocationError."""
        record = await self._store.invocation(event_id)
        if record is None:
            raise unknown_invocation(event_id)
        if record.state == WAITING and self._attempts.is_running(event_id):
            return replace(record, state=RUNNING, attempts=record.attempts + 1)
        return record

    async def cancel(self, event_id: str) -> Invocation:
        """Call an invocation off; one that was called off before stays so.

        Raises UnknownInvocationError and FinishedInvocationError.
        """
        async with self._attempts.hold(event_id):
            record = await self._store.invocation(event_id)
            if record is None:
                raise unknown_invocation(event_id)
            if record.state == CANCELLED:
                return record
            if record.state != WAITING:
                raise FinishedInvocationError(f"{event_id} has ended already: it is {record.state}")
            attempts = record.attempts + self._attempts.cancel(event_id)
            # While its row is there, the record is: without one, the event would run.
            after = cancelled(record, End(self._parts.clock(), NEVER, attempts))
            await self._store.submit(SaveInvocation(after))
            return after

    async def answer(self, lane: str, work: Work, answer: Answer) -> None:
        """The function has answered; return when that is on disk."""

        def write(record: Invocation) -> tuple[Invocation, list[Change]]:
            # Not earlier: other results may be on their way by now.
            self._check_room(len(answer.body or b""))
            return done(record, work.event, answer, self._end(work.attempts + 1)), []

        try:
            encode_answer(answer)
            await self._finish(lane, work, write)
        except InvocationError as error:
            await self.fail(lane, work, error)
        except ValueError as error:
            await self.fail(lane, work, InvocationError(f"the result cannot be kept: {error}"))

    def _check_room(self, size: int) -> None:
        if size > SMALL and not self._store.has_room(size):
            raise NoRoomError(f"the result of {size} bytes has no room on disk; see limits.delivery")

    async def fail(self, lane: str, work: Work, error: BaseException) -> None:
        """The event has failed for good; return when that, and the dead letter, is on disk."""

        def write(record: Invocation) -> tuple[Invocation, list[Change]]:
            end = self._end(work.attempts)
            case = Case(lane, head_of(work), work.event.body, end)
            letter = letter_of(self._store.next_seq(), record, case, error)
            return failed(record, work.event, error, end), [AddLetters((letter,))]

        await self._finish(lane, work, write)

    async def forget(self, work: Work) -> None:
        """The event is not to run."""
        # Not before the record says so: a crash in between would leave an invocation that waits for nothing.
        async with self._attempts.hold(work.event.id):
            await self._drop(work, await self._store.invocation(work.event.id))

    async def _drop(self, work: Work, record: Invocation | None) -> None:
        """From now on, a record that was called off grows old."""
        aged: list[Change] = []
        if record is not None and record.state == CANCELLED:
            aged = [SaveInvocation(replace(record, expires=self._expires()))]
        await self._store.submit(DropEvents((work.seq,)), *aged)

    async def _finish(
        self, lane: str, work: Work, write: Callable[[Invocation], tuple[Invocation, list[Change]]]
    ) -> None:
        event_id = work.event.id
        async with self._attempts.hold(event_id):
            record = await self._store.invocation(event_id) or _anew(lane, work.event)
            if record.state == CANCELLED:
                await self._drop(work, record)
                return
            after, more = write(record)
            await self._store.submit(DropEvents((work.seq,)), SaveInvocation(after), *more)
        self._parts.failpoints.reach("async.answered")
        if after.callback:
            self._parts.finished(event_id)

    def _end(self, attempts: int) -> End:
        return End(self._parts.clock(), self._expires(), attempts)

    def _expires(self) -> float:
        return self._parts.steady() + self._parts.result_age


def _anew(lane: str, event: Event) -> Invocation:
    """The record of an event whose own is no longer kept: its dead letter was replayed late."""
    return Invocation(event.id, lane.removeprefix(LANES), WAITING, event.received, NEVER)


def unknown_invocation(event_id: str) -> UnknownInvocationError:
    """The error for an id that nobody has, or that is none of the caller's."""
    return UnknownInvocationError(
        f"there is no invocation {event_id}: there never was, or its result is no longer kept"
    )
