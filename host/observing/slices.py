"""Divides work of the event loop into slices, so that invocations go on meanwhile."""

import asyncio
import time

LONGEST = 0.001
"""Seconds of a processor after which others have their turn."""


class Slices:
    """Of one piece of work: `spent` seconds of a processor so far, in the longest slice `longest`."""

    def __init__(self) -> None:
        self.spent = self.longest = 0.0
        self._began = time.thread_time()

    async def pause(self) -> None:
        """Let others have their turn, if it is time: to be called where others may come in between."""
        if time.thread_time() - self._began > LONGEST:
            self.end()
            await asyncio.sleep(0)
            self._began = time.thread_time()

    def end(self) -> None:
        """The last slice is over."""
        took = time.thread_time() - self._began
        self.spent += took
        self.longest = max(self.longest, took)
