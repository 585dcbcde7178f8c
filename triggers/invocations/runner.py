"""Works off what asynchronous callers have left: a lane for each function, and the end of each event."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from runtime.events import Answer
from triggers.delivery.lane import Lane, LaneParts, LanePlan, LaneView, Reason
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.work import Work
from triggers.invocations.acceptance import LANES
from triggers.invocations.attempts import Attempts, CancelledInvocationError
from triggers.invocations.ledger import Ledger
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore

logger = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between looks at what the disk did not give."""
GRACE = 20.0

Write = Callable[[], Coroutine[Any, Any, None]]
"""Writes down what became of an event; raises sqlite3.Error while its record cannot be read."""


@dataclass(frozen=True)
class RunnerParts:
    """`policy` says when a function's events are tried again; `knows` whether there is such a function."""

    store: DeliveryStore
    failpoints: Failpoints
    attempts: Attempts
    ledger: Ledger
    policy: Callable[[str], RetryPolicy]
    knows: Callable[[str], bool]


class Runner:
    """Owns the lanes of asynchronous events."""

    def __init__(self, parts: RunnerParts) -> None:
        self._parts = parts
        self._lanes: dict[str, Lane] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self._ticking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take up what an earlier life of the host has left."""
        for name in self._parts.store.lanes:
            if name.startswith(LANES):
                self._lane(name).begin()
        self._ticking = asyncio.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            for lane in list(self._lanes.values()):
                try:
                    lane.tick()
                except Exception:
                    # The others, and this one the next time, are looked after all the same.
                    logger.exception("an error of ours in the lane %s, which goes on", lane.plan.name)

    def wake(self, name: str) -> bool:
        """Take up new rows of this lane; False when it is not one of these, or its function is gone."""
        if not name.startswith(LANES) or not self._parts.knows(name.removeprefix(LANES)):
            return False
        self.take_up(name)
        return True

    def take_up(self, name: str) -> None:
        """There are new rows in this lane."""
        self._lane(name).wake()

    def _lane(self, name: str) -> Lane:
        lane = self._lanes.get(name)
        if lane is None:
            function = name.removeprefix(LANES)
            plan = LanePlan(name=name, function=function, retry=self._parts.policy(function))
            dispatch = self._parts.attempts.dispatch
            parts = LaneParts(dispatch, self, self._parts.store, self._parts.failpoints)
            lane = self._lanes[name] = Lane(plan, parts)
        return lane

    def lanes(self) -> list[tuple[str, str, LaneView]]:
        """What waits, by what it was sent to: a function, or a revision such as `industry@2`."""
        return [("", lane.plan.function, lane.view()) for lane in self._lanes.values()]

    async def stop(self) -> None:
        """Begin nothing more, and write down what became of what ran, as far as it ends within GRACE."""
        if self._ticking is not None:
            self._ticking.cancel()
        for lane in self._lanes.values():
            lane.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._written(), GRACE)

    async def _written(self) -> None:
        await self._parts.attempts.ended()
        if self._settling:
            await asyncio.wait(self._settling)

    def answered(self, lane: Lane, work: Work, answer: Answer) -> None:
        """The function has answered."""
        self._settle(lane, work, partial(self._parts.ledger.answer, lane.plan.name, work, answer))

    def failed(self, lane: Lane, work: Work, error: BaseException) -> None:
        """The event failed for good, or was cancelled."""
        if isinstance(error, CancelledInvocationError):
            self._settle(lane, work, partial(self._parts.ledger.forget, work))
        else:
            lane.passed.failed += 1
            self._settle(lane, work, partial(self._parts.ledger.fail, lane.plan.name, work, error))

    def dropped(self, lane: Lane, work: Work, reason: Reason) -> None:
        """The event gave way to others, which no lane of asynchronous events has it do."""
        self._settle(lane, work, partial(self._parts.ledger.forget, work))

    def _settle(self, lane: Lane, work: Work, write: Write) -> None:
        task = asyncio.get_running_loop().create_task(_persist(work, write))
        self._settling.add(task)
        task.add_done_callback(partial(self._settled, lane, work))

    def _settled(self, lane: Lane, work: Work, task: "asyncio.Task[None]") -> None:
        self._settling.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            # Its row stays, and the next start of the host takes it up.
            logger.error(
                "what became of the event %s is not written down: %s",
                work.event.id,
                error,
                extra={"id": work.event.id},
            )
        else:
            lane.finish(work)


async def _persist(work: Work, write: Write) -> None:
    while True:
        try:
            await write()
        except sqlite3.Error as error:
            logger.warning("the record of %s cannot be read, and is tried again: %s", work.event.id, error)
            await asyncio.sleep(TICK)
        else:
            return
