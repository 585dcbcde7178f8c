"""The way of a rule's events to one function: in order, never more at a time than the function can take."""

import asyncio
import random
from functools import partial
from itertools import count
from typing import Protocol

from runtime.events import (
    Answer,
    DeadlinePassedError,
    Dispatch,
    Event,
    InvocationError,
    QueueFullError,
    UnavailableError,
)
from triggers.mqtt.backlog import Backlog
from triggers.mqtt.messages import Delivery, Work
from triggers.mqtt.pace import Pace

FULL_DELAY = 0.05
FIRST_DELAY = 0.1
LONGEST_DELAY = 5.0


class Owner(Protocol):
    """Who hears of the end of each work, exactly once."""

    def answered(self, lane: "Lane", work: Work, answer: Answer) -> None:
        """The function answered."""

    def failed(self, lane: "Lane", work: Work, error: BaseException) -> None:
        """The event got no answer and will not get one."""

    def dropped(self, lane: "Lane", work: Work) -> None:
        """The event gave way to newer ones before it was dispatched."""


class Lane:
    """Holds events while the function's queue is full or its pool does not run: not the events' fault."""

    def __init__(self, function: str, position: int, dispatch: Dispatch, owner: Owner) -> None:
        self.function = function
        self.position = position
        self.results = 0
        self._dispatch = dispatch
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._numbers = count()
        self._held: Backlog[Work] = Backlog()
        self._pace = Pace()
        self._out = 0
        self._newest = -1
        self._delay = FIRST_DELAY
        self._pause: asyncio.TimerHandle | None = None
        self._full = False
        self._closed = False

    @property
    def events(self) -> int:
        """Events that were received and have no answer yet."""
        return len(self._held) + self._out

    @property
    def busy(self) -> bool:
        """Whether an event waits for its answer, or a result for its confirmation."""
        return bool(self.events or self.results)

    def submit(self, delivery: Delivery, event: Event) -> None:
        """Run the function on `event` as soon as it can take it."""
        self._hold(Work(delivery, event, next(self._numbers)))
        self._pump()

    def forget_sure(self) -> None:
        """Let go of undispatched events that the broker will deliver again."""
        self._held.forget_sure()

    def close(self) -> None:
        """Dispatch nothing any more."""
        self._closed = True
        self._held = Backlog()
        if self._pause is not None:
            self._pause.cancel()

    def _hold(self, work: Work) -> None:
        victim = self._held.put(work.seq, work, sure=work.sure)
        if victim is not None:
            self._owner.dropped(self, victim)

    def _pump(self) -> None:
        while self._pause is None and self._held and self._out < self._pace.limit:
            self._send(self._held.take())

    def _send(self, work: Work) -> None:
        work.sent_at = self._loop.time()
        self._newest = max(self._newest, work.seq)
        try:
            future = self._dispatch(self.function, work.event)
        except InvocationError as error:
            self._take_error(work, error)
        else:
            self._out += 1
            future.add_done_callback(partial(self._take_answer, work))

    def _take_answer(self, work: Work, future: "asyncio.Future[Answer]") -> None:
        self._out -= 1
        error = UnavailableError("cancelled") if future.cancelled() else future.exception()
        if error is None:
            self._learn(work, future.result())
            self._owner.answered(self, work, future.result())
        else:
            self._take_error(work, error)
        if self._full:
            self._resume()
        self._pump()

    def _learn(self, work: Work, answer: Answer) -> None:
        self._delay = FIRST_DELAY
        waited = self._loop.time() - work.sent_at - answer.seconds
        self._pace.answered(work.seq, waited, self._newest)

    def _take_error(self, work: Work, error: BaseException) -> None:
        if self._closed and isinstance(error, QueueFullError | UnavailableError):
            # It was not acknowledged, so whoever follows this lane gets it again.
            return
        if isinstance(error, QueueFullError):
            self._pace.full(self._out)
            self._hold(work)
            self._rest(FULL_DELAY, full=True)
        elif isinstance(error, UnavailableError):
            self._pace.unavailable()
            self._hold(work)
            self._rest(self._delay * random.uniform(0.5, 1), full=False)  # noqa: S311 - spreads load
        else:
            if isinstance(error, DeadlinePassedError):
                self._pace.answered(work.seq, float("inf"), self._newest)
            self._owner.failed(self, work, error)

    def _rest(self, delay: float, *, full: bool) -> None:
        if self._pause is None:
            self._full = full
            self._delay = self._delay if full else min(self._delay * 2, LONGEST_DELAY)
            self._pause = self._loop.call_later(delay, self._go_on)

    def _go_on(self) -> None:
        self._resume()
        self._pump()

    def _resume(self) -> None:
        self._full = False
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
