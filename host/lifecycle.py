"""The lifecycle of the host's parts: set up, started in order, stopped in reverse, each with a time limit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

logger = logging.getLogger(__name__)

OUR_OWN = ("host", "triggers", "runtime", "functions", "conf")


class PartError(Exception):
    """A part failed to set up or start; the message names it."""


class Part:
    """One piece of the host. Lower priorities start earlier and stop later; limits are in seconds."""

    name = "part"
    priority = 100
    start_limit = 60.0
    stop_limit = 30.0

    async def setup(self) -> None:
        """Acquire what needs nothing else running."""

    async def start(self) -> None:
        """Begin to work; the parts of lower priority are running."""

    async def stop(self) -> None:
        """Finish what was begun; the parts of lower priority are still running."""


class Lifecycle:
    """Runs parts as one."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = sorted(parts, key=lambda part: part.priority)
        self._up: list[Part] = []

    async def start(self) -> None:
        """Set up all, then start all; a failure stops what runs and raises PartError."""
        try:
            for part in self._parts:
                await _limited(part, "set up", part.setup, part.start_limit)
            for part in self._parts:
                self._up.append(part)
                await _limited(part, "start", part.start, part.start_limit)
        except PartError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop what was started, in reverse; one that fails or hangs does not keep the others from it."""
        while self._up:
            part = self._up.pop()
            try:
                await _limited(part, "stop", part.stop, part.stop_limit)
            except PartError as error:
                logger.error("%s", error)


async def _limited(part: Part, verb: str, step: Callable[[], Awaitable[None]], limit: float) -> None:
    try:
        await asyncio.wait_for(step(), limit)
    except TimeoutError:
        raise PartError(
            f"{part.name} did not {verb} within {limit:g} s; `fnhost doctor` tells what is missing"
        ) from None
    except PartError:
        raise
    except Exception as error:
        logger.debug("%s failed to %s", part.name, verb, exc_info=True)
        raise PartError(f"{part.name} failed to {verb}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Its sentence where it is one of ours, which say what to do; else with its type, too."""
    ours = type(error).__module__.partition(".")[0] in OUR_OWN
    return str(error) if ours else f"{type(error).__name__}: {error}"
