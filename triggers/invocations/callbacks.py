"""Posts results to where callers asked for them, until each was taken, refused, or tried often enough."""

import asyncio
import json
import logging
from dataclasses import replace
from itertools import count
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import httpx

from triggers.delivery.changes import SaveInvocation
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.rows import Invocation
from triggers.delivery.store import DeliveryStore
from triggers.http import encode_answer
from triggers.invocations.attempts import Attempts
from triggers.invocations.records import DONE, FAILED, WAITING, answer_of

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
AT_ONCE = 4
"""Requests to one host and port at a time."""
POLICY = RetryPolicy(attempts=16, backoff=1.0, longest=300.0)
"""About 20 minutes, as its jitter will have it; counted anew when the host starts again."""
_AGAIN = frozenset({408, 425, 429})


class CallbackError(Exception):
    """A callback that was not taken; `final` when the same one will not be."""

    def __init__(self, message: str, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


class Callbacks:
    """A task for each result that is still to be posted; the result itself stays on disk meanwhile."""

    def __init__(self, store: DeliveryStore, attempts: Attempts, policy: RetryPolicy = POLICY) -> None:
        self._store = store
        self._hold = attempts.hold
        self._policy = policy
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        # What callers name is worth no redirect, no proxy's view and no file of passwords.
        self._client = httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, follow_redirects=False)

    async def start(self) -> None:
        """Take up what an earlier life of the host has left."""
        for record in await self._store.open_invocations():
            if record.state in (DONE, FAILED):
                self.begin(record.id)

    def begin(self, event_id: str) -> None:
        """Post the result of this invocation, whose end is on disk."""
        task = asyncio.get_running_loop().create_task(self._call(event_id))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a callback waits for the next start: %s", error)

    async def stop(self) -> None:
        """Leave the rest to the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def _call(self, event_id: str) -> None:
        for attempt in count(1):
            record = await self._store.invocation(event_id)
            if record is None or record.callback_state != WAITING:
                break
            if (state := await self._try(record, last=attempt >= self._policy.attempts)) != WAITING:
                await self._note(event_id, state)
                break
            await asyncio.sleep(self._policy.delay(attempt))

    async def _try(self, record: Invocation, last: bool) -> str:
        """What has become of the callback after another attempt."""
        try:
            await self._post(record)
        except CallbackError as error:
            if not (last or error.final):
                return WAITING
            logger.error("the result of %s is not posted to %s: %s", record.id, record.callback, error)
            return FAILED
        return DONE

    async def _note(self, event_id: str, state: str) -> None:
        async with self._hold(event_id):
            if (record := await self._store.invocation(event_id)) is not None:
                await self._store.submit(SaveInvocation(replace(record, callback_state=state)), durable=False)

    async def _post(self, record: Invocation) -> None:
        place = urlsplit(record.callback).netloc
        turn = self._turns.get(place) or self._turns.setdefault(place, asyncio.Semaphore(AT_ONCE))
        headers, body = _message(record)
        try:
            async with turn, asyncio.timeout(TIMEOUT):
                # Its answer's body is not read: it may have no end.
                request = self._client.stream("POST", record.callback, headers=headers, content=body)
                async with request as answer:
                    _judge(answer.status_code)
        except TimeoutError:
            raise CallbackError(f"no answer within {TIMEOUT:g} s") from None
        except httpx.InvalidURL as error:
            raise CallbackError(str(error), final=True) from None
        except httpx.HTTPError as error:
            raise CallbackError(str(error) or type(error).__name__) from None


def _judge(status: int) -> None:
    if not 200 <= status <= 299:
        raise CallbackError(f"it answered with HTTP {status}", final=status < 500 and status not in _AGAIN)


def _message(record: Invocation) -> tuple[dict[bytes, bytes], bytes]:
    headers = {b"x-request-id": record.id.encode(), b"x-invocation-state": record.state.encode()}
    if record.state == FAILED:
        headers[b"content-type"] = b"application/problem+json"
        return headers, json.dumps(record.error, ensure_ascii=False).encode("utf-8", "replace")
    status, told, body = encode_answer(answer_of(record))
    headers[b"x-function-status"] = b"%d" % status
    return {**headers, **dict(told)}, body
