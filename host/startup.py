"""What a part begins in the background: an error there is logged at once, and seen at `/readyz`."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from host.health import Check

logger = logging.getLogger(__name__)


class Startup:
    """The one task that starts the part called `name`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None
        self._error = ""

    def begin(self, start: Coroutine[Any, Any, None]) -> None:
        """Start in the background."""
        self._task = asyncio.create_task(start)
        self._task.add_done_callback(self._note)

    async def stop(self) -> None:
        """Cut off what has not started."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def checks(self) -> list[Check]:
        """Red once it has failed; until then there is nothing to say."""
        return [Check(self._name, False, self._error)] if self._error else []

    def _note(self, task: "asyncio.Task[None]") -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._error = f"it did not start, and the host has to be restarted: {type(error).__name__}: {error}"
        logger.error("%s did not start", self._name, exc_info=error)
