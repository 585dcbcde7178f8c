"""Knows when something in an author's folder was saved, also when it is replaced by another one."""

import asyncio
import os
from contextlib import aclosing
from pathlib import Path

from watchfiles import awatch

DEBOUNCE_MS = 200
"""An editor writes a file more than once when it saves; what comes within this time is one save."""
STEP_MS = 20
LOOK_MS = 500
"""How often is looked whether the folder is another one, as after the switch of a branch."""

Identity = tuple[int, int]


class Saves:
    """Of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._saved = asyncio.Event()

    async def watch(self) -> None:
        """Look until cancelled."""
        is_new = False
        while True:
            if (known := self._identity()) is None:
                await asyncio.sleep(LOOK_MS / 1000)
            else:
                await self._watch(known, is_new)
            is_new = True

    async def next(self) -> None:
        """Return when something was saved since the last time."""
        await self._saved.wait()
        self._saved.clear()

    async def _watch(self, known: Identity, is_new: bool) -> None:
        """Until the folder is another than `known`; one that is new was saved as a whole."""
        looks = awatch(
            self._folder, debounce=DEBOUNCE_MS, step=STEP_MS, rust_timeout=LOOK_MS, yield_on_timeout=True
        )
        try:
            async with aclosing(looks):
                async for changes in looks:
                    if changes or is_new:
                        self._saved.set()
                    is_new = False
                    if self._identity() != known:
                        return
        except FileNotFoundError:
            return  # it went before the watch began

    def _identity(self) -> Identity | None:
        """What tells the folder from another one of the same name; None while there is none."""
        try:
            found = os.stat(self._folder)
        except OSError:
            return None
        return found.st_dev, found.st_ino
