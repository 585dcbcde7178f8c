"""The way of events to one function: in order, never more at a time than it takes, again when they fail."""

import asyncio
from collections.abc import Sequence
from functools import partial

from runtime.events import Answer, DeadlinePassedError, InvocationError, QueueFullError, UnavailableError
from triggers.delivery.inbox import PAGE, Inbox
from triggers.delivery.lane_plan import LaneParts, LanePlan, LaneView, Owner, Passed, Reason
from triggers.delivery.later import Later
from triggers.delivery.line import Line
from triggers.delivery.pace import Pace
from triggers.delivery.pause import Pause
from triggers.delivery.retry import OVERLOAD, kind_of
from triggers.delivery.work import Place, Work

__all__ = ["Lane", "LaneParts", "LanePlan", "LaneView", "Owner", "Reason"]

SHORT_RETRY = 1.0
"""Seconds: an event that comes again later than this waits on disk, so that its sender may forget it."""
MOST_LATER = 5000
MOST_LOADED = 10_000


class Lane:
    """Holds events while the function's queue is full or its pool does not run: not the events' fault.

    Events are in memory until `take_over`, or until one must wait long; from then on newcomers stand behind
    them on disk, until all of those have been dispatched.
    """

    def __init__(self, plan: LanePlan, parts: LaneParts) -> None:
        self.plan = plan
        self.results = 0
        self.passed = Passed()
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._line = Line(ordered=plan.ordered, latest=plan.latest)
        self._open: dict[int, Work] = {}
        # Of an ordered lane: answered and the results not confirmed; failed and no dead letters yet.
        self._ending: dict[int, Work] = {}
        self._failing: set[int] = set()
        self._later = Later(self._take_due)
        self._inbox = Inbox(plan.name, parts.store, self._take)
        self._pace = Pace()
        self._out, self._newest = 0, -1
        self._slow: set[str] = set()
        self._writing = self._spilling = False
        self._pause = Pause(self._pump)
        self._closed = False

    def begin(self) -> None:
        """Work what an earlier life of the host has left on disk."""
        self._pump()

    @property
    def events(self) -> int:
        """Events that were received and have no answer yet; those on disk are counted roughly."""
        return len(self._open) + self._inbox.count

    @property
    def busy(self) -> bool:
        """Whether an event in memory waits for an attempt or its answer, or a result for its confirmation."""
        at_work = self._out or self.results or self._inbox.is_writing
        return bool(at_work or len(self._line) or len(self._later))

    def view(self) -> LaneView:
        """How much waits, and for how long."""
        now = self._loop.time()
        oldest = next((work.born for work in self._open.values()), now)
        waited = max(0.0, now - oldest)
        return LaneView(self.plan.function, self.events, self._inbox.count, waited, self.passed)

    def submit(self, work: Work) -> None:
        """Run the function on the event as soon as it can take it."""
        if work.sure and (self._spilling or self._inbox.is_behind or work.key in self._slow):
            self._inbox.receive(work)
            if not self._writing:
                # At the end of this turn of the loop: what has come in one turn is written at once.
                self._writing = True
                self._loop.call_soon(self._write_arrivals)
        else:
            self._take(work)

    def wake(self) -> None:
        """Rows were added to this lane's part of the inbox, behind all it knows."""
        self._inbox.look()
        self._pump()

    def take_over(self) -> None:
        """Put all that is not answered on disk, so that its senders may forget it.

        What comes next goes there at once, until nothing waits for the function: of a broker that sends a few
        and waits for their acknowledgements, many would be lost by the next time.
        """
        self._spilling = len(self._line) > 0
        self._inbox.put([work for work in (*self._ending.values(), *self._open.values()) if work.sure])

    def tick(self) -> None:
        """Once in a while: see whether the disk takes again what it did not."""
        self._write_arrivals()
        self._pump()

    def finish(self, work: Work) -> None:
        """All that is to become of the event has become of it."""
        self._inbox.drop(work)
        self._ending.pop(work.seq, None)
        if work.seq in self._failing:
            self._failing.discard(work.seq)
            self._line.release(work)
            self._pump()

    def forget_sure(self) -> None:
        """Let go of undispatched events that will come again: from their broker, or from the disk."""
        self._closed = True
        for work in self._line.forget_sure():
            self._end(work)
        for work in self._later.clear():
            self._leave(work)
        self._inbox.close()
        self._pause.end()
        self._pump()

    def leave(self) -> None:
        """Finish what is in memory, and leave to others what is on disk only."""
        self._inbox.leave()

    def stay(self) -> None:
        """Work again what is on disk."""
        self._inbox.stay()
        self._pump()

    def close(self) -> None:
        """Dispatch nothing any more."""
        self.forget_sure()
        self._line = Line()

    # -- to the function and back

    def _take(self, work: Work) -> None:
        if work.due:
            # The wall clock, by which it was written down, may have been set since.
            work.due = min(work.due, self._loop.time() + self.plan.retry.longest)
        self._open[work.seq] = work
        self._give_way(self._line.add(work))
        self._pump()

    def _give_way(self, works: Sequence[Work]) -> None:
        for work in works:
            self._drop(work, "superseded" if work.gone else "full")

    def _drop(self, work: Work, reason: Reason) -> None:
        self._end(work)
        self._parts.owner.dropped(self, work, reason)

    def _write_arrivals(self) -> None:
        self._writing = False
        self._inbox.write_arrivals(self._predecessors)

    def _predecessors(self, works: Sequence[Work]) -> list[Work]:
        """What is in memory of the same keys: after a crash it must not come after these."""
        if not self.plan.ordered:
            return []
        keys = {work.key for work in works}
        before = (*self._ending.values(), *self._open.values())
        return [work for work in before if work.place is Place.MEMORY and work.key in keys and work.sure]

    def _pump(self) -> None:
        while self._may_send():
            work = self._line.take()
            if work is None:
                break
            self._send(work)
        if self._line.ready < PAGE // 2 and len(self._open) < MOST_LOADED:
            self._inbox.load()

    def _may_send(self) -> bool:
        return not self._pause and self._out < self._pace.limit and len(self._later) < MOST_LATER

    def _send(self, work: Work) -> None:
        now = self._loop.time()
        if work.due > now:
            self._wait(work, work.due)
            return
        if work.is_older(self.plan.max_age, now):
            self._line.release(work)
            self._drop(work, "expired")
            return
        work.sent_at = now
        self._newest = max(self._newest, work.seq)
        try:
            future = self._parts.dispatch(self.plan.function, work.event)
        except InvocationError as error:
            self._take_error(work, error)
        else:
            self._out += 1
            self.passed.sent += 1
            self._parts.failpoints.reach("event.dispatched")
            future.add_done_callback(partial(self._take_answer, work))

    def _take_answer(self, work: Work, future: "asyncio.Future[Answer]") -> None:
        self._out -= 1
        error = UnavailableError("cancelled") if future.cancelled() else future.exception()
        if error is None:
            self._parts.failpoints.reach("event.answered")
            self._learn(work, future.result())
            self._begin_end(work)
            # Its results are on their way before the next event of its key is on its own.
            self._parts.owner.answered(self, work, future.result())
            self._line.release(work)
        else:
            self._take_error(work, error)
        self._pause.room()
        if not self._pause and not self._line.ready:
            self._spilling = False
        self._pump()

    def _learn(self, work: Work, answer: Answer) -> None:
        self._pause.answered()
        waited = self._loop.time() - work.sent_at - answer.seconds
        self._pace.answered(work.seq, waited, self._newest)

    def _take_error(self, work: Work, error: BaseException) -> None:
        if isinstance(error, DeadlinePassedError):
            self._pace.answered(work.seq, float("inf"), self._newest)
        kind = kind_of(error)
        if kind != OVERLOAD:
            self._parts.failpoints.reach("event.failed")
            work.attempts += 1
        # Who has an event replayed looks at what comes of it: without waiting, it is a dead letter again.
        if (work.replayed and kind != OVERLOAD) or not self.plan.retry.repeats(error, work.attempts):
            self._fail(work, error)
        elif self._closed:
            self._leave(work)
        elif kind == OVERLOAD:
            self._hold(work, full=isinstance(error, QueueFullError))
        else:
            self._repeat(work)

    def _fail(self, work: Work, error: BaseException) -> None:
        self._begin_end(work)
        if self.plan.ordered:
            # The next of its key waits until this one cannot come again.
            self._failing.add(work.seq)
        self._parts.owner.failed(self, work, error)
        if not self.plan.ordered:
            self._line.release(work)

    def _begin_end(self, work: Work) -> None:
        self._end(work)
        if self.plan.ordered:
            self._ending[work.seq] = work

    def _end(self, work: Work) -> None:
        self._open.pop(work.seq, None)

    # -- while the function takes nothing

    def _leave(self, work: Work) -> None:
        """Not acknowledged, or on disk: whoever follows this lane gets it again. QoS 0 ends here."""
        self._line.release(work)
        if work.sure:
            self._end(work)
        else:
            self._drop(work, "full")

    def _hold(self, work: Work, *, full: bool) -> None:
        self._give_way(self._line.put_back(work))
        if full:
            self._pace.full(self._out)
            self._pause.full()
        else:
            self._pace.unavailable()
            self._pause.unavailable()

    # -- the next attempt

    def _repeat(self, work: Work) -> None:
        delay = self.plan.retry.delay(work.attempts)
        work.again()
        work.due = self._loop.time() + delay
        if work.place is not Place.MEMORY:
            self._inbox.update(work, delay)
        if delay > SHORT_RETRY:
            waiting = (work, *self._line.followers(work.key))
            self._inbox.put([each for each in waiting if each.sure])
        self._wait(work, work.due)
        self._parts.failpoints.reach("retry.waiting")

    def _wait(self, work: Work, due: float) -> None:
        if self.plan.ordered and work.place is not Place.MEMORY:
            # What comes of this key from now on would wait long, too.
            self._slow.add(work.key)
        self._later.add(work, due)

    def _take_due(self, works: Sequence[Work]) -> None:
        for work in works:
            self._slow.discard(work.key)
            self._give_way(self._line.put_back(work))
        self._pump()
