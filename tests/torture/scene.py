"""A host that dies at one named point, is started again, and has to answer for every event."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.torture.judge import NEVER, Verdict, judge
from tests.torture.ledger import Event, Ledger
from tests.torture.letters import read_letters
from tests.torture.stage import Stage, until
from tests.torture.subject import PLAIN, RULES
from triggers.store.failpoints import VARIABLE

PATIENCE = 90.0
MOST = 40

Act = Callable[["Scene"], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """What leads to a point, which of its passings is the last, and what more the config then has.

    `repeats`: how many events may be answered twice, since `docs/delivery.md` says so of the point.
    """

    act: Act
    passing: int = 1
    repeats: int = 0
    config: dict[str, Any] | None = None


class PointNotReachedError(Exception):
    """The host did not die where it should have."""


class Scene:
    """One scenario, played on a stage that others have used before."""

    def __init__(self, stage: Stage, point: str, scenario: Scenario) -> None:
        self.stage = stage
        self._point = point
        self._scenario = scenario
        self._events: list[Event] = []
        self._deaths: list[float] = []
        self._target_runs = True

    async def play(self) -> Verdict:
        """Crash, start again, and judge; raises PointNotReachedError, and TimeoutError when it hangs."""
        await self._scenario.act(self)
        await self.wait_for_death()
        await self.start_target()
        await self.start()
        await self._settle()
        await self._flush()
        return judge(self._own_ledger(), await asyncio.to_thread(read_letters, self.stage))

    @property
    def dead(self) -> bool:
        """Whether the host has died."""
        return self.stage.host.process.poll() is not None

    async def start_armed(self) -> None:
        """Start a host that dies at the point, and wait until it is connected."""
        self._replace(armed=True)
        await asyncio.to_thread(self.stage.host.start)
        await self.stage.connected()

    async def die_at_start(self) -> None:
        """Start a host that dies at the point before it says where it listens."""
        self._replace(armed=True)
        try:
            await asyncio.to_thread(self.stage.host.start)
        except AssertionError:
            if not self.dead:
                raise
        await self.wait_for_death()

    async def start(self) -> None:
        """Start a host that does not die, and wait until it is connected."""
        self._replace(armed=False)
        await asyncio.to_thread(self.stage.host.start)
        await self.stage.connected()

    async def begin(self, what: str = "echo", **more: Any) -> Event:
        """Publish an event to the plain rule."""
        event = Event(len(self.stage.ledger.events), PLAIN, "d0", what, **more)
        self._events.append(event)
        await self.stage.publisher.publish(event)
        return event

    async def publish(self, what: str = "echo", **more: Any) -> Event:
        """Publish an event, and wait until its broker has it."""
        event = await self.begin(what, **more)
        await until(lambda: event.counted is not None, "the broker has the event", PATIENCE)
        return event

    async def feed(self, what: str = "echo", most: int = MOST, **more: Any) -> None:
        """Publish one event after the other, each when the host has acknowledged the last, until it dies."""
        for _ in range(most):
            event = await self.publish(what, **more)
            await until(
                lambda event=event: event.acked or self.dead,  # type: ignore[misc]
                f"event {event.number} is acknowledged",
                PATIENCE,
            )
            if self.dead:
                return

    async def stop_target(self) -> None:
        """Stop the broker that results go to."""
        await asyncio.to_thread(self.stage.target.stop)
        self._target_runs = False

    async def start_target(self) -> None:
        """Start it, if it is not running."""
        if not self._target_runs:
            await asyncio.to_thread(self.stage.target.start)
            self._target_runs = True

    async def wait_for_death(self) -> None:
        """Wait until the host has died at the point."""
        try:
            await until(lambda: self.dead, "the host dies", PATIENCE)
        except TimeoutError:
            raise PointNotReachedError(f"{self._point} was not reached") from None
        self._deaths.append(asyncio.get_running_loop().time())
        code = self.stage.host.process.returncode
        if code != -signal.SIGKILL:
            raise PointNotReachedError(f"the host ended with {code}:\n{self.stage.host.log()[-2000:]}")

    def _replace(self, *, armed: bool) -> None:
        point = {VARIABLE: f"{self._point}:{self._scenario.passing}"} if armed else {}
        self.stage.replace_host(point, self._scenario.config or {})

    async def _settle(self) -> None:
        unanswered = self.stage.ledger.unanswered
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while unanswered and loop.time() < end:
            await asyncio.sleep(0.01)
            if any(self.stage.ledger.events[number].what == NEVER for number in unanswered):
                letters = await asyncio.to_thread(read_letters, self.stage)
                unanswered.difference_update(letter.event for letter in letters)

    async def _flush(self) -> None:
        """What is published last comes out last: repeats have come by then."""
        last = [Event(len(self.stage.ledger.events) + place, rule, "d0") for place, rule in enumerate(RULES)]
        for event in last:
            await self.stage.publisher.publish(event)
        await until(lambda: all(event.acked for event in last), "the last events are answered", PATIENCE)

    def _own_ledger(self) -> Ledger:
        numbers = {event.number for event in self._events}
        results = {number: told for number, told in self.stage.ledger.results.items() if number in numbers}
        return Ledger({event.number: event for event in self._events}, results, deaths=self._deaths)
