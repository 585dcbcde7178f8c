"""A lane holds events while a function cannot take them, and hands them over in order when it can."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from runtime.events import Answer, DeadlinePassedError, Dispatch, Event, QueueFullError, UnavailableError
from tests.mqtt.clients import Functions, echo, play, until
from tests.store.open_store import opened
from triggers.delivery.lane import Lane, LaneParts, LanePlan, Reason
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.work import Work
from triggers.store.failpoints import Failpoints

NUMBERS = count(1)


class Ledger:
    """What the lane said of each event."""

    def __init__(self) -> None:
        self.good: list[bytes] = []
        self.bad: list[bytes] = []
        self.gone: list[bytes] = []

    def answered(self, lane: Lane, work: Work, answer: Answer) -> None:
        self.good.append(work.event.body)
        lane.finish(work)

    def failed(self, lane: Lane, work: Work, error: BaseException) -> None:
        self.bad.append(work.event.body)
        lane.finish(work)

    def dropped(self, lane: Lane, work: Work, reason: Reason) -> None:
        self.gone.append(work.event.body)
        lane.finish(work)


class Pool:
    """A dispatch with a queue of `size`; it answers one event per turn of the event loop."""

    def __init__(self, size: int, at_once: bool) -> None:
        self.size = size
        self.deepest = 0
        self._at_once = at_once
        self._queue: deque[tuple[Event, asyncio.Future[Answer]]] = deque()

    def dispatch(self, name: str, event: Event) -> "asyncio.Future[Answer]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Answer] = loop.create_future()
        if len(self._queue) >= self.size:
            if self._at_once:
                raise QueueFullError
            future.set_exception(QueueFullError())
            return future
        self._queue.append((event, future))
        self.deepest = max(self.deepest, len(self._queue))
        loop.call_later(0.001, self._answer)
        return future

    def _answer(self) -> None:
        event, future = self._queue.popleft()
        future.set_result(echo(event))


@asynccontextmanager
async def lane_to(dispatch: Dispatch, ledger: Ledger, **plan: Any) -> AsyncIterator[Lane]:
    """A lane to `echo`, over a store of its own."""
    async with opened() as store:
        told = {"retry": RetryPolicy(attempts=1), **plan}
        lane = Lane(LanePlan("lane", "echo", **told), LaneParts(dispatch, ledger, store, Failpoints()))
        yield lane
        lane.close()


def submit(lane: Lane, bodies: list[bytes], qos: int = 1) -> None:
    for body in bodies:
        lane.submit(Work(Event(body), next(NUMBERS), sure=qos > 0))


def test_a_full_queue_holds_events_back_and_loses_none() -> None:
    async def scene(at_once: bool) -> None:
        ledger, pool = Ledger(), Pool(3, at_once)
        async with lane_to(pool.dispatch, ledger) as lane:
            bodies = [b"%d" % n for n in range(200)]
            submit(lane, bodies)
            await until(lambda: len(ledger.good) == 200, "all are answered")
            assert ledger.good == bodies and not ledger.bad
            assert lane.events == 0 and pool.deepest == 3

    play(scene(at_once=True))
    play(scene(at_once=False))


def test_a_pool_that_is_not_there_is_waited_for_with_one_event_at_a_time() -> None:
    async def scene() -> None:
        ledger, tries = Ledger(), 0

        def dispatch(name: str, event: Event) -> "asyncio.Future[Answer]":
            nonlocal tries
            tries += 1
            future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            if tries == 1:
                raise UnavailableError
            if tries <= 3:
                future.set_exception(UnavailableError())
            else:
                future.set_result(echo(event))
            return future

        async with lane_to(dispatch, ledger) as lane:
            bodies = [b"%d" % n for n in range(50)]
            submit(lane, bodies)
            assert (tries, lane.events) == (1, 50)
            await until(lambda: len(ledger.good) == 50, "all are answered")
            assert ledger.good == bodies and tries == 53

    play(scene())


def test_a_cancelled_dispatch_is_no_failure_of_the_event() -> None:
    async def scene() -> None:
        ledger = Ledger()
        functions = Functions(echo=echo)
        functions.held.add("echo")
        async with lane_to(functions.dispatch, ledger) as lane:
            submit(lane, [b"1"])
            functions.cancel("echo")
            await until(lambda: ledger.good == [b"1"], "it is dispatched again")

    play(scene())


def test_a_passed_deadline_is_a_failure_and_slows_the_lane_down() -> None:
    async def scene() -> None:
        ledger = Ledger()

        def late(event: Event) -> Answer | DeadlinePassedError:
            return DeadlinePassedError() if event.body == b"late" else echo(event)

        functions = Functions(echo=late)
        async with lane_to(functions.dispatch, ledger) as lane:
            submit(lane, [b"%d" % n for n in range(40)])
            await until(lambda: len(ledger.good) == 40, "all are answered")
            submit(lane, [b"late"])
            await until(lambda: ledger.bad == [b"late"], "the late one has failed")
            functions.held.add("echo")
            submit(lane, [b"%d" % n for n in range(40)])
            assert len(functions.events) == 41 + 20

    play(scene())


def test_of_qos_0_events_the_oldest_give_way() -> None:
    async def scene() -> None:
        ledger = Ledger()
        functions = Functions(echo=echo)
        functions.held.add("echo")
        async with lane_to(functions.dispatch, ledger) as lane:
            submit(lane, [b"%d" % n for n in range(10_011)], qos=0)
            assert ledger.gone == [b"%d" % n for n in range(1, 11)]

    play(scene())
