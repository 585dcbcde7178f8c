"""Gives the devices their place in the host: in memory, and on disk each minute and at the end."""

import asyncio
import logging
import math
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
MOST_WRITTEN = 128 * 1024
"""Bytes that are written each minute, about, for flash has its bounds: the others wait for their turn."""
TROUBLES = (OSError, sqlite3.Error)


class DevicesPart(Part):
    """What is there is seen at once; what was not written yet is lost when the power fails."""

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
                device = restore_device(stored, self.devices.keeping)
                self.devices.restore(device)
                if not device.is_stored:
                    self.devices.unsaved.setdefault(device.name)
            await slices.pause()

    async def start(self) -> None:
        """Begin to write."""
        self._flushing = asyncio.create_task(steadily("what devices said last", self.flush, FLUSH_EVERY))

    async def stop(self) -> None:
        """Write the last of it."""
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
        try:
            await self.flush(most=math.inf)
        finally:
            await asyncio.to_thread(self._store.close)

    async def flush(self, most: float = MOST_WRITTEN) -> None:
        """Write `most` bytes, about, of those that were heard since; what the disk does not take waits."""
        async with self._writing:
            devices = self.devices
            gone, devices.gone = devices.gone, set()
            rows: list[Stored] = []
            try:
                await self._collect(rows, most)
                if rows or gone:
                    await asyncio.to_thread(self._store.write, rows, gone)
                self._said = False
            except BaseException as error:
                self._take_back(rows, gone)
                if not isinstance(error, TROUBLES):
                    raise
                self._say(error)

    async def _collect(self, rows: list[Stored], most: float) -> None:
        """What is to be written now: those that were never written, then those that wait longest."""
        devices, slices = self.devices, Slices()
        for name in sorted(devices.unsaved, key=self._is_stored):
            if most <= 0:
                return
            devices.unsaved.pop(name, None)
            if (device := devices.find(name)) is not None:
                # One that cannot be written is no reason to lose the others.
                with suppress(ValueError, TypeError, RecursionError):
                    rows.append(store_device(device, devices.keeping))
                    most -= len(rows[-1].told)
                    device.is_stored = True
            await slices.pause()

    def _is_stored(self, name: str) -> bool:
        device = self.devices.find(name)
        return device is not None and device.is_stored

    def _take_back(self, rows: list[Stored], gone: set[str]) -> None:
        devices = self.devices
        again = dict.fromkeys(row.name for row in rows if devices.find(row.name) is not None)
        devices.unsaved = again | devices.unsaved
        devices.gone |= {name for name in gone if devices.find(name) is None}

    def _say(self, error: BaseException) -> None:
        if not self._said:
            said = "what devices said last is in memory only for now: %s cannot be used (%s); make room there"
            logger.warning(said, self._store.path, error)
        self._said = True
