"""Takes asynchronous events in: on disk before the caller hears of it, and each id once."""

import asyncio
import sqlite3
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from runtime.events import Event, InvocationError, UnavailableError
from triggers.delivery.work import Work, row_of
from triggers.invocations.records import WAITING
from triggers.invocations.wish import Wish, check_callback
from triggers.store.changes import AddEvents, SaveInvocation
from triggers.store.failpoints import Failpoints
from triggers.store.rows import NEVER, Invocation
from triggers.store.store import DeliveryStore

LANES = "async/"
PATIENCE = 10.0
"""Seconds until a caller is told that the disk does not take its event."""


class TakenIdError(InvocationError):
    """Another function was invoked under this id."""

    status = 409


@dataclass(frozen=True)
class AcceptanceParts:
    """`check` raises InvocationError for an event that no function takes; `added` is told the lane of one.

    `callback_hosts` are the config's; `clock` gives seconds since the epoch; `patience` is in seconds.
    """

    store: DeliveryStore
    failpoints: Failpoints
    check: Callable[[str, Event], object]
    added: Callable[[str], None]
    callback_hosts: frozenset[str] = frozenset()
    clock: Callable[[], float] = time.time
    patience: float = PATIENCE


class Acceptance:
    """What the HTTP trigger hands asynchronous events to."""

    def __init__(self, parts: AcceptanceParts) -> None:
        self._parts = parts
        self._pending: dict[str, asyncio.Task[Invocation]] = {}

    async def accept(self, target: str, event: Event, wish: Wish) -> Invocation:
        """Return once the event is on disk, or was before: an id that is known is the same invocation.

        Raises InvocationError, and UnavailableError when the disk has not taken it in time.
        """
        check_callback(wish.callback, self._parts.callback_hosts)
        target = unicodedata.normalize("NFC", target)
        pending = self._pending.get(event.id)
        if pending is None:
            pending = asyncio.create_task(self._take_in(target, event, wish))
            self._pending[event.id] = pending
            pending.add_done_callback(lambda _: self._pending.pop(event.id))
        try:
            invocation = await asyncio.wait_for(asyncio.shield(pending), self._parts.patience)
        except TimeoutError:
            raise UnavailableError(
                f"the disk has not taken the event within {self._parts.patience:g} s and may do so yet; "
                f"ask again with X-Request-Id: {event.id}, and it runs once"
            ) from None
        if invocation.function != target:
            raise TakenIdError(
                f"{event.id} is the id of an invocation of {invocation.function}; send another"
            )
        return invocation

    async def _take_in(self, target: str, event: Event, wish: Wish) -> Invocation:
        parts = self._parts
        try:
            known = await parts.store.invocation(event.id)
        except sqlite3.Error as error:
            raise UnavailableError(f"whether {event.id} is known cannot be read: {error}") from None
        if known is not None:
            return known
        parts.check(target, event)
        if not parts.store.takes_in:
            raise UnavailableError(parts.store.why_not)
        created = parts.clock()
        waiting = WAITING if wish.callback else ""
        invocation = Invocation(
            event.id, target, WAITING, created, NEVER,
            callback=wish.callback, callback_state=waiting,
        )  # fmt: skip
        row = row_of(Work(event, parts.store.next_seq()), LANES + target)
        await parts.store.submit(AddEvents((row,)), SaveInvocation(invocation))
        parts.failpoints.reach("async.accepted")
        parts.added(row.lane)
        return invocation
