"""An event on its way through a pool, from its arrival to its answer."""

import asyncio

from runtime.dispatch.streams import Pieces
from runtime.events import Answer, Event


class Ticket:
    """Who waits for an event's answer, until when, and under which number an instance has it.

    `number` is 0 while no instance has it. `arrived` and `sent` (to the instance `pid`; both 0 where that has
    not begun it) are seconds of the monotonic clock, `told` says that its end was observed. `share` is how
    many events the call took in (0 for all but the first of a batch); `pieces` holds what has come of a
    streamed answer; `looks` counts how often it was seen past its deadline and not begun, `spilled` the bytes
    of pieces that nobody took.
    """

    __slots__ = (
        "arrived",
        "cancelled",
        "deadline",
        "event",
        "future",
        "looks",
        "number",
        "pid",
        "pieces",
        "repeated",
        "sent",
        "share",
        "spilled",
        "told",
    )

    def __init__(
        self, event: Event, future: "asyncio.Future[Answer]", arrived: float, timeout: float
    ) -> None:
        self.event = event
        self.future = future
        self.arrived = arrived
        self.deadline = arrived + timeout
        self.sent = 0.0
        self.pid = 0
        self.told = False
        self.number = 0
        self.looks = 0
        self.spilled = 0
        self.share = 1
        self.cancelled = False
        self.repeated = False
        self.pieces: Pieces | None = None
        if event.ended is not None:
            future.add_done_callback(self._done)

    def forget_sending(self) -> None:
        """The instance that has it did not begin it: to whoever observes it, none had it."""
        self.sent, self.pid = 0.0, 0

    def end(self) -> None:
        """It neither waits nor runs any more."""
        if (ended := self.event.ended) is not None:
            self.event.ended = None
            ended()

    def _done(self, future: "asyncio.Future[Answer]") -> None:
        if not self.number:
            self.end()
