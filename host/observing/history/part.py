"""Gives the history its place in the host: a look each second, a record each minute, and what was before."""

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from host.lifecycle import Part
from host.observing.history.axis import Axis
from host.observing.history.history import History
from host.observing.history.looking import Look
from host.observing.history.saving import RECORD_OF, Saving
from host.observing.history.series import SAVED

logger = logging.getLogger(__name__)

MOST_OF_A_CORE = 0.01
"""What looking may take; on a slow machine with many functions at work there are fewer looks."""
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
    # A day of 1,000 busy functions is read on a slow machine; a restored row takes 6 µs.
    start_limit = 600.0

    def __init__(self, parts: HistoryParts) -> None:
        self._axis, self._history = parts.axis, parts.history
        self._look, self._saving, self._folder = parts.look, parts.saving, parts.folder
        self._running: asyncio.Task[None] | None = None
        self._writing: asyncio.Future[None] | None = None
        self._said = False

    async def setup(self) -> None:
        """Read what earlier lives have left."""
        try:
            found = {step: await asyncio.to_thread(self._saving.read, step) for step in SAVED}
        except OSError as error:
            logger.warning("history begins anew, since what was kept cannot be read: %s", error)
            return
        await asyncio.to_thread(self._saving.restore, int(self._axis.now()), found)

    async def start(self) -> None:
        """Begin to look."""
        self._running = asyncio.create_task(self._run())
        self._running.add_done_callback(_say_end)

    async def stop(self) -> None:
        """Look a last time, and write it all."""
        if self._running is not None:
            self._running.cancel()
        self._look.look(int(self._axis.now()) + 1)
        self._history.end()
        await self.save()

    async def _run(self) -> None:
        cost = 0.0
        while True:
            now, every = self._axis.now(), pace_looks(cost)
            await asyncio.sleep(every - now % every + LATE)
            second, began = int(self._axis.now()), time.thread_time()
            self._look.look(second)
            cost += (time.thread_time() - began - cost) / SMOOTHING
            if second // RECORD_OF != int(now) // RECORD_OF:
                self._history.forget_old(second)
                await self.save()

    async def save(self) -> None:
        """Write what came; where that cannot be, the history goes on in memory, and says so once."""
        if self._writing is not None:
            await asyncio.wait([self._writing])
        records = self._saving.collect(self._axis.shift)
        # Not cut short by the host's end: the next writing waits for it.
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._saving.write, records))
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


def _say_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("history ends here, by a fault of the host's own", exc_info=error)
