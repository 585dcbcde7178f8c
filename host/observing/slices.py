"""Divides work of the event loop into slices, so that invocations go on meanwhile."""

import asyncio
import time

LONGEST = 0.001
"""Seconds after which others have their turn."""


class Slices:
    """Of one piece of work: `spent` seconds of a processor so far, in the longest slice `longest`."""

    def __init__(self) -> None:
        self.spent = self.longest = 0.0
        self._begin()

    def _begin(self) -> None:
        self._began, self._over = time.thread_time(), time.perf_counter() + LONGEST

    async def pause(self) -> None:
        """Let others have their turn, if it is time: to be called where others may come in between."""
        # The processor's own time is a call of the system, and asked for twice a slice only.
        if time.perf_counter() > self._over:
            self.end()
            await asyncio.sleep(0)
            self._begin()

    def end(self) -> None:
        """The last slice is over."""
        took = time.thread_time() - self._began
        self.spent += took
        self.longest = max(self.longest, took)
