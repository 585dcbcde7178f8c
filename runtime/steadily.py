"""Keeps what is done in the background going: what one time goes wrong is said, and ends nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

Act = Callable[[], Awaitable[None]]


class Attempts:
    """At something that is done again and again, called `what`: failures in a row are said once."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._failing = False

    async def make(self, act: Act) -> None:
        """Do it once, and log any exception."""
        try:
            await act()
        except Exception:
            # A host runs for years: what nobody foresaw costs this time, and not all those to come.
            if not self._failing:
                logger.exception("%s: failed by an error of ours; it is tried again", self._what)
            self._failing = True
            return
        if self._failing:
            logger.warning("%s: works again", self._what)
        self._failing = False


async def steadily(what: str, act: Act, pause: float) -> None:
    """Do it for ever, with `pause` seconds after each time, until the task is cancelled."""
    attempts = Attempts(what)
    while True:
        await attempts.make(act)
        await asyncio.sleep(pause)
