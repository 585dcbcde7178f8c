"""Posts results to where callers asked for them, until each was taken, refused, or tried often enough."""

import asyncio
import logging
import sqlite3
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from triggers.delivery.retry import RetryPolicy
from triggers.invocations.attempts import Attempts
from triggers.invocations.destinations import CallbackError, Destination, read_destination
from triggers.invocations.records import DONE, FAILED, WAITING
from triggers.store.changes import SaveInvocation
from triggers.store.rows import Invocation
from triggers.store.store import DeliveryStore

if TYPE_CHECKING:
    from triggers.invocations.posting import Poster

logger = logging.getLogger(__name__)

AT_ONCE = 4
"""Requests to one host and port at a time."""
IN_ALL = 64
"""Requests at a time, each with its result in memory."""
POLICY = RetryPolicy(attempts=16, backoff=1.0, longest=300.0)
"""About 20 minutes, as its jitter will have it; counted anew when the host starts again."""
GONE = ""
"""The record is no longer kept, or its callback has been dealt with."""


@dataclass(slots=True)
class Call:
    """A callback under way; `state` is what is to be written down of it once it is WAITING no more."""

    id: str
    attempts: int = 0
    state: str = WAITING


class Callbacks:
    """A task for each result that is still to be posted; the result itself stays on disk meanwhile."""

    def __init__(
        self, store: DeliveryStore, attempts: Attempts, listed: frozenset[str], policy: RetryPolicy = POLICY
    ) -> None:
        self._store = store
        self._hold = attempts.hold
        self._listed = listed
        self._poster: Poster | None = None
        self._opening = asyncio.Lock()
        self._policy = policy
        self.posted: Counter[str] = Counter()
        """Results that were taken, by function."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(IN_ALL)
        self._turns: WeakValueDictionary[Destination, asyncio.Semaphore] = WeakValueDictionary()

    async def start(self) -> None:
        """Take up what an earlier life of the host has left."""
        left = await self._store.open_invocations()
        for event_id in [record.id for record in left if record.state in (DONE, FAILED)]:
            self.begin(event_id)

    def begin(self, event_id: str) -> None:
        """Post the result of this invocation, whose end is on disk."""
        task = asyncio.get_running_loop().create_task(self._call(Call(event_id)))
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, event_id))

    def _ended(self, event_id: str, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("the callback of %s waits for the next start: %s", event_id, error)

    async def stop(self) -> None:
        """Leave the rest to the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._poster is not None:
            await self._poster.close()

    async def _call(self, call: Call) -> None:
        for rounds in count(1):
            try:
                if call.state == WAITING:
                    await self._attempt(call)
                if call.state != WAITING:
                    await self._note(call)
                    return
            except sqlite3.Error as error:
                # The disk's fault counts no attempt, and what was posted already is not posted again.
                logger.warning("the callback of %s waits: its record cannot be read: %s", call.id, error)
            await asyncio.sleep(self._policy.delay(rounds))

    async def _attempt(self, call: Call) -> None:
        try:
            if (place := await self._find_place(call)) is None:
                return
            turn = self._turns.get(place) or self._turns.setdefault(place, asyncio.Semaphore(AT_ONCE))
            # Its place's turn first: those who wait for a slow place keep no room from the others.
            async with turn, self._room:
                if (record := await self._read(call)) is not None:
                    await (await self._open()).post(place, record)
                    self.posted[record.function.partition("@")[0]] += 1
                    call.state = DONE
        except CallbackError as error:
            self._judge(call, error)

    async def _open(self) -> "Poster":
        """At the first callback and off the loop: httpx and its certificates take a fifth of a second."""
        async with self._opening:
            if self._poster is None:
                self._poster = await asyncio.to_thread(_make_poster, self._listed)
            return self._poster

    async def _find_place(self, call: Call) -> Destination | None:
        async with self._room:
            record = await self._read(call)
        try:
            return None if record is None else read_destination(record.callback)
        except ValueError as error:
            raise CallbackError(
                f"{record.callback if record else ''} is no URL: {error}", final=True
            ) from None

    async def _read(self, call: Call) -> Invocation | None:
        """The record with the result; None, and said in `call`, when there is nothing to post."""
        record = await self._store.invocation(call.id)
        if record is None or record.callback_state != WAITING:
            call.state = GONE
            return None
        return record

    def _judge(self, call: Call, error: CallbackError) -> None:
        call.attempts += 1
        if error.final or call.attempts >= self._policy.attempts:
            call.state = FAILED
            logger.warning(
                "the result of %s is posted no more, after %d attempts: %s; it stays at "
                "/api/invocations/%s/result for as long as results are kept (`limits.result_age`)",
                call.id, call.attempts, error, call.id,
                extra={"event": "callback.failed", "id": call.id, "attempts": call.attempts},
            )  # fmt: skip

    async def _note(self, call: Call) -> None:
        if call.state == GONE:
            return
        async with self._hold(call.id):
            if (record := await self._store.invocation(call.id)) is not None:
                noted = SaveInvocation(replace(record, callback_state=call.state))
                await self._store.submit(noted, durable=False)


def _make_poster(listed: frozenset[str]) -> "Poster":
    from triggers.invocations.posting import Poster

    return Poster(listed)
