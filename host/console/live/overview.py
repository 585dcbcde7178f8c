"""The channel `overview`: when what is wrong or a broker has changed, and who uses the memory."""

import asyncio
import zlib
from collections.abc import Sequence
from heapq import nlargest
from typing import Any

from host.console.brokers import list_brokers
from host.console.ground import Ground
from host.console.live.source import Source
from host.console.problems import Problems
from host.observing.slices import Slices
from runtime.steadily import steadily

LOOK_EVERY = 2.0
LARGEST = 7
"""Functions whose memory is drawn, each for itself."""


class OverviewSource(Source):
    """Looks every two seconds, in slices, while somebody looks at the overview.

    It tells marks of the fragments `problems` and `brokers`, which a page asks for anew when they are others,
    and of the `largest` functions the memory in bytes.
    """

    name = "overview"

    def __init__(self, ground: Ground, problems: Problems) -> None:
        self._watched = ground.watched
        self._problems = problems
        self._looking: asyncio.Task[None] | None = None
        self._largest: dict[str, int] = {}
        self._told: dict[str, Any] = {}

    def opened(self, item: str) -> None:
        """Begin to look."""
        self._looking = asyncio.create_task(steadily("the overview", self.look, LOOK_EVERY))

    def closed(self, item: str) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def look(self) -> None:
        """Find what is wrong, and the functions with the most memory."""
        await self._problems.find()
        figure, slices = self._watched.scaling.scaler.figure, Slices()
        sizes = []
        for name, deployed in list(self._watched.catalog.functions.items()):
            pool = deployed.live_pool
            if pool is not None and (found := figure(pool)) is not None:
                sizes.append((found.pss, name))
            await slices.pause()
        self._largest = {name: size for size, name in nlargest(LARGEST, sizes)}

    def begin(self, item: str) -> Any:
        """How it is just now."""
        self._told = self._now()
        return self._told

    def tell(self, item: str) -> Any:
        """How it is now, if that is news."""
        before, self._told = self._told, self._now()
        return None if self._told == before else self._told

    def _now(self) -> dict[str, Any]:
        memory = self._watched.scaling.scaler.memory
        return {
            "problems": mark_of(self._problems.found),
            "brokers": mark_of(list_brokers(self._watched.mqtt.state())),
            "memory": {"used": memory.used, "budget": memory.budget},
            "largest": self._largest,
        }


def mark_of(told: Sequence[Any]) -> str:
    """Another text for another list."""
    return f"{zlib.crc32(repr(told).encode()):08x}"
