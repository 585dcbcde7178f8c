"""One step of a load: events at a fixed rate for a few seconds, and what became of them."""

import asyncio
import math
import statistics
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial

from host.load.sender import Sender

EARLY = 0.001  # seconds: how exact the event loop's timers are
GRACE = 5.0  # seconds for the answers that are still out when a step ends, or as long as the step if longer
UNANSWERED = "no answer"

Clock = Callable[[], float]
Count = Callable[[], Coroutine[None, None, int | None]]


@dataclass(frozen=True)
class Step:
    """What one rate gave: rates in events/s, times in s.

    `answered` is the rate of answers, failures included; `errors` counts by what went wrong; `backlog` are
    the events that were due and not answered when the last one was sent; `instances` were there at that
    moment; `cpu` is the load generator's own share of a core.
    """

    offered: float
    events: int
    answered: float
    p50: float
    p99: float
    max: float
    errors: dict[str, int]
    backlog: int
    instances: int | None
    cpu: float

    @property
    def failed(self) -> int:
        """Events that got an error or nothing."""
        return sum(self.errors.values())


@dataclass
class Tally:
    """Notes each answer: when its event was due, and when it came."""

    clock: Clock
    answers: list[tuple[float, float]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    sent: dict[int, float] = field(default_factory=dict)

    def expect(self, number: int, due: float) -> Callable[[str], None]:
        """Who is to hear of the event's end."""
        self.sent[number] = due
        return partial(self._note, number)

    def _note(self, number: int, wrong: str) -> None:
        due = self.sent.pop(number, None)
        if due is None:
            return  # given up
        self.answers.append((due, self.clock()))
        if wrong:
            self.errors[wrong] += 1

    def give_up(self) -> list[float]:
        """Wait no longer; when those without an answer were due."""
        left = list(self.sent.values())
        self.sent.clear()
        return left


@dataclass(frozen=True)
class Pace:
    """So many events per second for so many seconds, one event at least."""

    rate: float
    seconds: float

    @property
    def events(self) -> int:
        """How many that are."""
        return max(1, round(self.rate * self.seconds))


async def run_step(sender: Sender, pace: Pace, count: Count, clock: Clock = time.perf_counter) -> Step:
    """Send as `pace` says, whether or not answers come, and wait for the last ones; `count` has instances.

    A latency counts from the moment when its event was due, not from when it could be sent: else a function
    that stands still would be asked less, and its worst moments missed ("coordinated omission": Gil Tene,
    "How NOT to Measure Latency", 2013; wrk2). What has no answer at the end counts with the time it waited.
    """
    tally = Tally(clock)
    begun, busy = clock(), time.process_time()
    await _send_all(sender, tally, begun, pace)
    ended, cpu = clock(), time.process_time() - busy
    backlog, instances = len(tally.sent), asyncio.ensure_future(count())
    await _drain(tally, ended + max(GRACE, pace.seconds))
    now = clock()
    lost = tally.give_up()
    waits = [end - due for due, end in tally.answers] + [now - due for due in lost]
    p50, p99 = quantiles(waits)
    if lost:
        tally.errors[UNANSWERED] += len(lost)
    return Step(
        offered=pace.rate,
        events=pace.events,
        answered=_rate(tally.answers, begun, pace),
        p50=p50,
        p99=p99,
        max=max(waits),
        errors=dict(tally.errors),
        backlog=backlog,
        instances=await instances,
        cpu=cpu / max(ended - begun, EARLY),
    )


async def _send_all(sender: Sender, tally: Tally, begun: float, pace: Pace) -> None:
    """Send each event when it is due, or up to 1 ms before: a timer that comes late must not count."""
    sent, clock = 0, tally.clock
    while sent < pace.events:
        now = clock()
        while sent < pace.events and (due := begun + sent / pace.rate) <= now + EARLY:
            sender.send(tally.expect(sent, min(due, now)))
            sent += 1
        next_due = begun + sent / pace.rate
        # Whole milliseconds, rounded down: the early side of the timer.
        await asyncio.sleep(max(EARLY, math.floor((next_due - clock()) / EARLY) * EARLY))


async def _drain(tally: Tally, deadline: float) -> None:
    while tally.sent and tally.clock() < deadline:  # noqa: ASYNC110 - nobody tells, so that answers stay cheap
        await asyncio.sleep(0.01)


def _rate(answers: Sequence[tuple[float, float]], begun: float, pace: Pace) -> float:
    """Answers per second in a window as long as the step and later by the median latency.

    So a slow function that keeps up is not charged with the events that are under way at the end.
    """
    if not answers:
        return 0.0
    length = pace.events / pace.rate
    # Its edges are between two answers, where it matters least that one is a little late.
    start = begun + statistics.median(end - due for due, end in answers) - 0.5 / pace.rate
    return sum(start < end <= start + length for _, end in answers) / length


def quantiles(waits: Sequence[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    if len(waits) < 2:
        return waits[0], waits[0]
    cuts = statistics.quantiles(waits, n=100, method="inclusive")
    return cuts[49], cuts[98]
