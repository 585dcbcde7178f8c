"""The scaler of all pools, as a part of the host."""

import asyncio

from host.lifecycle import Part
from runtime.observations import Observer
from runtime.scaling.memory import Sampler, default_budget
from runtime.scaling.scaler import Scaler


class ScalingPart(Part):
    """`memory` is what all pools together may use, in bytes; None: three quarters of the machine's."""

    name = "scaling"
    priority = 150

    def __init__(self, memory: int | None, observer: Observer) -> None:
        loop = asyncio.get_running_loop()
        self._sampler = Sampler(loop)
        self.scaler = Scaler(loop, self._sampler, memory or default_budget(), observer.decided)
        self._sampler.on_figure = self.scaler.memory_read

    async def stop(self) -> None:
        """No pool is left to look at."""
        self.scaler.stop()
        self._sampler.stop()
