"""Whether there is room for another package: among the functions, and on the disk."""

import contextlib
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Container, Iterator, Sized
from pathlib import Path
from typing import Protocol

from conf.limits import Limits
from conf.quantities import say_size
from functions import archive, disk_use
from functions.child import run_child
from host.state import StateDir

logger = logging.getLogger(__name__)

OF_FUNCTIONS = ("environments", "output", "shared-output", "logs")
PARTS = ("packages", *OF_FUNCTIONS, "downloads", "byte-code", "tmp", "uv-cache")
TIME_LIMIT = 60.0
LOOK_EVERY = 20
"""Deploys after which the disk is looked at again, also where less than half of what is allowed is used."""
MOST_TOLD = 5


class Names(Container[str], Sized, Protocol):
    """Those of the functions that there are."""


class NoRoomError(Exception):
    """There is no room for this package now; the message says what is full and what to do."""


class Room:
    """`limits` are those of the config."""

    def __init__(self, state: StateDir, limits: Limits) -> None:
        self._state = state
        self._used: dict[str, int] = {}
        self.change(limits)

    def change(self, limits: Limits) -> None:
        """Go over to those of another config."""
        self.limits = limits
        self._looks_left = 0

    @property
    def inside(self) -> archive.Limits:
        """What one package may hold."""
        return archive.Limits.of(self.limits)

    def check_number(self, name: str, known: Names) -> None:
        """Raise NoRoomError where `name` would be one function too many."""
        if name not in known and len(known) >= self.limits.functions:
            raise NoRoomError(
                f"the host has {len(known)} functions, as many as it may (`limits.functions`): remove one"
            )

    async def check_disk(self) -> None:
        """Raise NoRoomError where what is there already takes more than it may, and say what does."""
        most = self._most()
        if self._looks_left <= 0 or sum(self._used.values()) > most / 2:
            self._used = await self._measure()
            self._looks_left = LOOK_EVERY
        self._looks_left -= 1
        if (used := sum(self._used.values())) > most:
            raise NoRoomError(
                f"{self._state.root} takes {say_size(used)}, more than the {say_size(most)} that it may"
                f" (`limits.disk`): {', '.join(_largest(self._used))}; remove functions, or allow it more"
            )

    async def use(self) -> tuple[int, int]:
        """What the folder takes just now, and what it may, in bytes; it takes its time."""
        files = sum(_file_sizes(self._state.root))
        return files + sum((await self._measure()).values()), self._most()

    def _most(self) -> int:
        if self.limits.disk is not None:
            return self.limits.disk
        disk = os.statvfs(self._state.root)
        return disk.f_blocks * disk.f_frsize // 2

    async def _measure(self) -> dict[str, int]:
        """In a process of its own: a hundred thousand files would keep the host from its events."""
        arguments = disk_use.command(str(self._state.root), PARTS)
        told = await run_child(Path(sys.executable), arguments, TIME_LIMIT)
        if not told:
            logger.warning("what %s takes cannot be measured in %g s", self._state.root, TIME_LIMIT)
            return {}
        used: dict[str, int] = json.loads(told)
        return used


def _file_sizes(folder: Path) -> Iterator[int]:
    """Bytes of the files in it, such as databases; one may vanish meanwhile."""
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            if path.is_file():
                yield path.stat().st_size


def _largest(used: dict[str, int]) -> list[str]:
    """Who takes most, in words."""
    owners: Counter[str] = Counter()
    for path, size in used.items():
        part, _, name = path.partition("/")
        owners[f"{part} of {Path(name).name.partition('.log')[0]}" if part in OF_FUNCTIONS else part] += size
    return [f"{owner} {say_size(size)}" for owner, size in owners.most_common(MOST_TOLD)]
