"""The dispatch that lanes of asynchronous events are given: what was cancelled does not run."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from runtime.events import Answer, Dispatch, Event, InvocationError
from triggers.delivery.retry import OVERLOAD, HindranceError, kind_of
from triggers.invocations.records import CANCELLED, error_of
from triggers.store.changes import SaveInvocation
from triggers.store.rows import Invocation
from triggers.store.store import DeliveryStore


class CancelledInvocationError(InvocationError):
    """Somebody has called the invocation off."""

    status = 409


@dataclass(eq=False, slots=True)
class Attempt:
    """One run: what the lane waits for, what the pool was asked for, and the record it began with."""

    outcome: "asyncio.Future[Answer]"
    inner: "asyncio.Future[Answer] | None" = None
    record: Invocation | None = None


class Attempts:
    """Owns what is known of the runs that are under way."""

    def __init__(self, dispatch: Dispatch, store: DeliveryStore) -> None:
        self._dispatch = dispatch
        self._store = store
        self._running: dict[str, Attempt] = {}
        self._held: dict[str, asyncio.Future[None]] = {}

    async def ended(self) -> None:
        """Return when nothing runs any more, and the lanes have heard of it."""
        while self._running:
            await asyncio.wait([attempt.outcome for attempt in self._running.values()])

    def is_running(self, event_id: str) -> bool:
        """Whether its function has it, or what became of it is being written down."""
        attempt = self._running.get(event_id)
        return event_id in self._held or (attempt is not None and attempt.inner is not None)

    def dispatch(self, target: str, event: Event) -> "asyncio.Future[Answer]":
        """Hand an event on, unless it was cancelled: then the future holds CancelledInvocationError."""
        loop = asyncio.get_running_loop()
        attempt = Attempt(loop.create_future())
        self._running[event.id] = attempt
        task = loop.create_task(self._run(target, event, attempt))
        task.add_done_callback(lambda task: self._end(task, event.id, attempt))
        return attempt.outcome

    async def _run(self, target: str, event: Event, attempt: Attempt) -> Answer:
        while (held := self._held.get(event.id)) is not None:
            await asyncio.shield(held)
        try:
            attempt.record = record = await self._store.invocation(event.id)
        except sqlite3.Error as error:
            raise HindranceError(f"whether {event.id} was cancelled cannot be read: {error}") from None
        if attempt.outcome.done() or (record is not None and record.state == CANCELLED):
            raise CancelledInvocationError(f"{event.id} was cancelled")
        attempt.inner = self._dispatch(target, event)
        return await attempt.inner

    def _end(self, task: "asyncio.Task[Answer]", event_id: str, attempt: Attempt) -> None:
        if self._running.get(event_id) is attempt:
            del self._running[event_id]
        if task.cancelled():
            attempt.outcome.cancel()
        elif (error := task.exception()) is None:
            if not attempt.outcome.done():
                attempt.outcome.set_result(task.result())
        elif not attempt.outcome.done():
            self._note_failure(attempt, error)
            attempt.outcome.set_exception(error)

    def _note_failure(self, attempt: Attempt, error: BaseException) -> None:
        """Let people see what it waits for; nothing is promised, and the next record replaces this one."""
        record = attempt.record
        if record is not None and kind_of(error) not in (None, OVERLOAD):
            noted = replace(record, attempts=record.attempts + 1, error=error_of(error, record.id))
            self._store.submit(SaveInvocation(noted), durable=False)

    def cancel(self, event_id: str) -> bool:
        """End the run that is under way, if one is: it gives its place in the queue free, or has no answer.

        Returns whether its function had it.
        """
        attempt = self._running.get(event_id)
        if attempt is None or attempt.outcome.done():
            return False
        attempt.outcome.set_exception(CancelledInvocationError(f"{event_id} was cancelled"))
        return attempt.inner is not None and attempt.inner.cancel()

    @asynccontextmanager
    async def hold(self, event_id: str) -> AsyncIterator[None]:
        """Read the record, change it and write it inside of this: nobody else does, and no run begins."""
        while (held := self._held.get(event_id)) is not None:
            await asyncio.shield(held)
        self._held[event_id] = free = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._held[event_id]
            free.set_result(None)
