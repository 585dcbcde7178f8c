"""Gives the history its place in the host: a look each second, a record each minute, and what was before."""

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path

from host.lifecycle import Part
from host.observing.history.axis import Axis
from host.observing.history.history import History
from host.observing.history.looking import Look
from host.observing.history.restoring import Restoring
from host.observing.history.saving import Saving
from host.observing.slices import Slices
from runtime.steadily import Attempts

logger = logging.getLogger(__name__)

MOST_OF_A_CORE = 0.01
"""What looking may take; on a slow machine with many functions at work there are fewer looks."""
SAVE_EVERY = 60
"""Seconds."""
PACES = (1, 2, 5, 10)
SMOOTHING = 8
"""Looks over which their cost is averaged, about: one alone may have been disturbed."""
LATE = 0.005
"""Seconds after the full one, so that a look never comes before it."""


@dataclass(frozen=True)
class HistoryParts:
    """What keeps the history; `folder` is where it is saved."""

    axis: Axis
    history: History
    look: Look
    saving: Saving
    restoring: Restoring
    folder: Path


def pace_looks(cost: float) -> int:
    """Seconds from one look to the next, where a look takes `cost` seconds of a core.

    Rows of a second are then of more, and add up all the same; those of ten seconds stay what they are.
    """
    return next((every for every in PACES if cost <= MOST_OF_A_CORE * every), PACES[-1])


class HistoryPart(Part):
    """Stops after functions and triggers, so that the last of what they did is seen."""

    name = "history"
    priority = 155

    def __init__(self, parts: HistoryParts) -> None:
        self._axis, self._history, self._restoring = parts.axis, parts.history, parts.restoring
        self._look, self._saving, self._folder = parts.look, parts.saving, parts.folder
        self._tasks: list[asyncio.Task[None]] = []
        self._writing: asyncio.Future[None] | None = None
        self._said = False
        self._cost = 0.0
        self._minute = int(self._axis.now()) // SAVE_EVERY

    async def start(self) -> None:
        """Begin to look, and to read what earlier lives have left: nobody waits for that."""
        restoring = self._restoring.run(int(self._axis.now()))
        self._tasks = [asyncio.create_task(restoring), asyncio.create_task(self._run())]

    async def stop(self) -> None:
        """Look a last time, and write it all."""
        self._restoring.abandon()
        if self._tasks:
            restoring, running = self._tasks
            running.cancel()
            await asyncio.wait([restoring, running])
        await self._look.look(int(self._axis.now()) + 1, Slices())
        self._history.end()
        await self.save()

    async def _run(self) -> None:
        attempts = Attempts("the history")
        while True:
            every = pace_looks(self._cost)
            await asyncio.sleep(every - self._axis.now() % every + LATE)
            await attempts.make(self._turn)

    async def _turn(self) -> None:
        second, slices = int(self._axis.now()), Slices()
        await self._look.look(second, slices)
        self._cost += (slices.spent - self._cost) / SMOOTHING
        before, self._minute = self._minute, second // SAVE_EVERY
        if self._minute != before:
            self._look.forget_old(second)
            # What is still being read from there is not written to.
            if self._restoring.is_over:
                await self.save()

    async def save(self) -> None:
        """Write what came; where that cannot be, the history goes on in memory, and says so once."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        # Not cut short by the host's end: the next writing waits for it.
        self._writing = asyncio.ensure_future(self._write())
        try:
            await asyncio.shield(self._writing)
            self._said = False
        except OSError as error:
            if not self._said:
                logger.warning(
                    "history is in memory only for now: it cannot be written to %s (%s); make room there",
                    *(self._folder, error.strerror),
                )
            self._said = True

    async def _write(self) -> None:
        batch = await self._saving.collect()
        await asyncio.to_thread(self._saving.write, batch)
