"""A whole load: a first look at the function, then step after step until its knee is known."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from host.load.search import Judged, Search, first_rate, judge
from host.load.sender import NoAnswerError, Sender
from host.load.step import Clock, Count, Pace, Step, quantiles, run_step

PROBE_SECONDS = 1.0
PATIENCE = 30.0  # seconds for one event; the host's own deadline is as long unless told otherwise
LIMIT_FACTOR, LEAST_LIMIT = 10.0, 0.1
OWN_SHARE = 0.9  # of a core: beyond, it is the load generator that is slow


class Watch(Protocol):
    """Who is shown how far the load is."""

    def begin(self, rate: float) -> None:
        """A step begins."""

    def end(self, judged: Judged) -> None:
        """The step is over."""


@dataclass(frozen=True)
class Plan:
    """What to do: `rates` in events/s (none: search), steps and the `limit` of p99 (None: ten times the
    median of the first look, at least 100 ms) in seconds."""

    rates: tuple[float, ...]
    seconds: float
    limit: float | None


@dataclass
class Findings:
    """What is known so far; `note` says why the search ended before its time."""

    limit: float = 0.0
    alone: float = 0.0
    steps: list[Judged] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Load:
    """A load with all that it needs; `count` tells how many instances there are."""

    sender: Sender
    plan: Plan
    count: Count
    watch: Watch
    clock: Clock = time.perf_counter

    async def run(self, findings: Findings) -> None:
        """Put it on, and write into `findings` as it goes. Raises SenderError or NoAnswerError."""
        await self.sender.open()
        try:
            closed_loop = await self._look(findings)
            await self._climb(Search(first_rate(closed_loop), self.plan.rates), findings)
        finally:
            await self.sender.close()

    async def _look(self, findings: Findings) -> float:
        """Events/s one after the other, for a second: also makes a cold function hot."""
        waits: list[float] = []
        await self._ask()
        end = self.clock() + PROBE_SECONDS
        while not waits or self.clock() < end:
            waits.append(await self._ask())
        findings.alone = quantiles(waits)[0]
        findings.limit = self.plan.limit or max(LEAST_LIMIT, LIMIT_FACTOR * findings.alone)
        return len(waits) / sum(waits)

    async def _ask(self) -> float:
        """Send one event; the seconds until its answer."""
        asked = self.clock()
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.sender.send(_once(answered))
        try:
            # Not wait_for: before Python 3.12 it can lose a Ctrl-C that comes together with the answer.
            async with asyncio.timeout(PATIENCE):
                wrong = await answered
        except TimeoutError:
            raise NoAnswerError(self.sender.explain("")) from None
        if wrong:
            raise NoAnswerError(self.sender.explain(wrong), wrong)
        return self.clock() - asked

    async def _climb(self, search: Search, findings: Findings) -> None:
        while (rate := search.next_rate(findings.steps)) is not None:
            judged, rested = await self._try(rate, findings.limit)
            if judged.doubtful and rested:
                judged, rested = await self._try(rate, findings.limit)
            findings.steps.append(judged)
            findings.note = _note(judged.step, rested)
            if findings.note:
                return

    async def _try(self, rate: float, limit: float) -> tuple[Judged, bool]:
        """A step, and whether the function is at rest after it."""
        self.watch.begin(rate)
        step = await run_step(self.sender, Pace(rate, self.plan.seconds), self.count, self.clock)
        judged = judge(step, limit)
        self.watch.end(judged)
        return judged, await self.sender.settle(PATIENCE)


def _once(answered: "asyncio.Future[str]") -> Callable[[str], None]:
    def done(wrong: str) -> None:
        if not answered.done():
            answered.set_result(wrong)

    return done


def _note(step: Step, rested: bool) -> str:
    if step.cpu > OWN_SHARE:
        return (
            f"at {step.offered:,g}/s the bench itself was busy for {step.cpu:.0%} of the time: the function"
            " may take more; run it from another machine"
        )
    if not rested:
        return "events of the last step still wait for the function, so nothing more was tried"
    return ""
