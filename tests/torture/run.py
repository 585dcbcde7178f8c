"""One run: traffic, faults in the midst of it, the drain, and the verdict."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.torture.faults import DISK, Fault, Wanted, plan_faults
from tests.torture.injector import Injector
from tests.torture.judge import Verdict, judge
from tests.torture.ledger import Event, Ledger
from tests.torture.letters import read_letters
from tests.torture.stage import Stage, running_stage, until
from tests.torture.subject import RULES
from tests.torture.traffic import Flow, run_traffic

# The promise: seconds from the end of the last fault until every event is answered.
DRAIN_LIMIT = 30.0
# Longer is waited only to tell what is late from what is lost.
DRAIN_PATIENCE = 60.0

# So small that it is filled by what a few seconds leave behind.
CONFIG = {"limits": {"delivery": "1MiB"}}

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What a run has shown. `drained` is in seconds, or None when it did not come to an end."""

    wanted: Wanted
    faults: list[Fault]
    skipped: list[str]
    ledger: Ledger
    verdict: Verdict
    drained: float | None
    host_log: list[str]
    reds: int
    troubles: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        in_time = self.drained is not None and self.drained <= DRAIN_LIMIT
        return in_time and not self.verdict.wrong and not self.troubles

    @property
    def kinds(self) -> Counter[str]:
        """How many faults of each kind there were."""
        return Counter(fault.kind for fault in self.faults)


async def torture(wanted: Wanted, rate: float, folder: Path, say: Say) -> Outcome:
    """Run it in `folder`, with `rate` events a second; `say` hears of each fault."""
    async with running_stage(folder, CONFIG) as stage:
        skipped = _skipped(stage)
        for kind, reason in skipped.items():
            say(f"skipped {kind}: {reason}")
        faults = plan_faults(Wanted(wanted.faults, wanted.events, wanted.seed, tuple(skipped)))
        run = Run(stage, faults, say)
        flow = Flow(wanted.events, rate, wanted.seed)
        await run.play(flow)
        drained = await run.drain()
        letters = await asyncio.to_thread(read_letters, stage)
        verdict = judge(stage.ledger, letters)
        told = [f"{kind}: {reason}" for kind, reason in skipped.items()]
        log = stage.host.log().splitlines()
        return Outcome(wanted, faults, told, stage.ledger, verdict, drained, log, run.reds, run.troubles())


class Run:
    """A stage under traffic and faults."""

    def __init__(self, stage: Stage, faults: list[Fault], say: Say) -> None:
        self._stage = stage
        self._faults = faults
        self._say = say
        self._injector = Injector(stage, len(faults))
        self._began = asyncio.get_running_loop().time()
        self._ended_by_itself: list[str] = []
        self._told: list[str] = []

    async def play(self, flow: Flow) -> None:
        """All the traffic and all the faults."""
        async with asyncio.TaskGroup() as group:
            traffic = group.create_task(run_traffic(flow, self._stage.publisher))
            for fault in self._faults:
                await until(
                    lambda at=fault.at: len(self._stage.ledger.events) >= at or traffic.done(),  # type: ignore[misc]
                    f"event {fault.at} is published",
                    600,
                )
                self._check_host()
                group.create_task(self._inject(fault))

    async def drain(self) -> float | None:
        """Wait until all is answered, and what may still be under way has come; returns the seconds."""
        loop = asyncio.get_running_loop()
        last = max((fault.end for fault in self._faults), default=loop.time())
        ledger = self._stage.ledger
        try:
            await until(lambda: not self._stage.publisher.waiting, "all is published", DRAIN_PATIENCE)
            end = loop.time() + DRAIN_PATIENCE
            while ledger.unanswered:
                if loop.time() > end:
                    self._told += await asyncio.to_thread(self._ask_host)
                    return None
                await asyncio.sleep(0.1)
                await asyncio.to_thread(self._settle_dead)
            drained = loop.time() - last
            await self._flush()
        except TimeoutError as error:
            self._say(str(error))
            return None
        return drained

    async def _flush(self) -> None:
        """What is published last comes out last: then all that came before is there, repeats included."""
        ledger = self._stage.ledger
        number = len(ledger.events)
        for event in (Event(number + place, rule, "d0") for place, rule in enumerate(RULES)):
            await self._stage.publisher.publish(event)
        await until(lambda: not ledger.unanswered, "the last events are answered", DRAIN_PATIENCE)

    async def _inject(self, fault: Fault) -> None:
        began = asyncio.get_running_loop().time() - self._began
        self._say(
            f"fault {fault.number} at event {fault.at:,}, after {began:.1f} s: {fault.kind} for"
            f" {fault.seconds:.2f} s ({len(self._stage.ledger.unanswered):,} unanswered)"
        )
        await self._injector.inject(fault)

    @property
    def reds(self) -> int:
        """How often the host said that it takes no more."""
        return self._injector.reds

    def troubles(self) -> list[str]:
        """What must not be, besides what the verdict has."""
        self._check_host()
        found = [*self._ended_by_itself, *self._told]
        if self._stage.recorder.sessions_lost:
            found.append("the recorder's broker has lost its session, so the verdict is worth nothing")
        if self._stage.ledger.strays:
            found.append(f"results that are none: {self._stage.ledger.strays[:3]}")
        return found

    def _settle_dead(self) -> None:
        if self._stage.ledger.unanswered:
            for letter in read_letters(self._stage):
                self._stage.ledger.unanswered.discard(letter.event)

    def _ask_host(self) -> list[str]:
        """What the host says of itself while it should be at work."""
        paths = ("/readyz", "/queue_size_metrics", "/api/delivery", "/api/mqtt")
        return [f"{path}: {self._stage.get(path)}" for path in paths]

    def _check_host(self) -> None:
        code = self._stage.host.process.poll()
        if code is not None and not self._injector.restarting and not self._ended_by_itself:
            self._ended_by_itself.append(f"the host has ended by itself with {code}")


def _skipped(stage: Stage) -> dict[str, str]:
    return {DISK: stage.disk.why_not} if stage.disk.why_not else {}
