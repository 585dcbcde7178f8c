"""Gives the devices their place in the host: in memory, and on disk each minute and at the end."""

import asyncio
import logging
import sqlite3
from contextlib import suppress

from host.lifecycle import Part
from host.observing.devices.devices import Devices
from host.observing.devices.store import DeviceStore
from host.observing.devices.stored import Stored, restore_device, store_device
from host.observing.slices import Slices
from runtime.steadily import steadily

logger = logging.getLogger(__name__)

FLUSH_EVERY = 60.0
TROUBLES = (OSError, sqlite3.Error)


class DevicesPart(Part):
    """What is there is seen at once; what the last minute has brought is lost when the power fails."""

    name = "devices"
    # Before the functions whose events tell of devices, and stopped after them.
    priority = 155

    def __init__(self, devices: Devices, store: DeviceStore) -> None:
        self.devices = devices
        self._store = store
        self._flushing: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()
        self._said = False

    async def setup(self) -> None:
        """Know what an earlier life knew; a file that cannot be used keeps nobody from work."""
        try:
            found = await asyncio.to_thread(self._store.read)
        except TROUBLES as error:
            self._say(error)
            return
        slices = Slices()
        for stored in found:
            with suppress(ValueError, TypeError, KeyError):
                self.devices.restore(restore_device(stored))
            await slices.pause()

    async def start(self) -> None:
        """Begin to write."""
        self._flushing = asyncio.create_task(steadily("what devices said last", self.flush, FLUSH_EVERY))

    async def stop(self) -> None:
        """Write the last of it."""
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self.flush()
        await asyncio.to_thread(self._store.close)

    async def flush(self) -> None:
        """Write those that were heard since; what the disk does not take waits for the next time."""
        async with self._writing:
            devices = self.devices
            unsaved, gone = devices.unsaved, devices.gone
            devices.unsaved, devices.gone = set(), set()
            if not unsaved and not gone:
                return
            try:
                rows = await self._collect(unsaved)
                await asyncio.to_thread(self._store.write, rows, gone)
                self._said = False
            except BaseException as error:
                devices.unsaved |= unsaved
                devices.gone |= {name for name in gone if devices.find(name) is None}
                if not isinstance(error, TROUBLES):
                    raise
                self._say(error)

    async def _collect(self, names: set[str]) -> list[Stored]:
        rows, slices = [], Slices()
        for name in names:
            if (device := self.devices.find(name)) is not None:
                rows.append(store_device(device, self.devices.hidden))
            await slices.pause()
        return rows

    def _say(self, error: BaseException) -> None:
        if not self._said:
            said = "what devices said last is in memory only for now: %s cannot be used (%s); make room there"
            logger.warning(said, self._store.path, error)
        self._said = True
