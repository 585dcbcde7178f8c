"""Whether there is room for more: within the store's own quota, and on its disk."""

import os
from dataclasses import dataclass
from pathlib import Path

from conf.quantities import say_size

MIB = 1024 * 1024
INTAKE = 0.8
"""The part of the quota above which nothing new is taken in; the rest is for bringing rows to their end."""

LEAST_FREE = 0.05
"""A small file system need not have more than this part of itself free, whatever `min_free` says."""

MOST_PENDING = 64 * MIB
"""Bytes that may wait in memory for a disk that is slow."""

ROW = 400
"""Bytes of a row besides its body, about; only for what is not yet written."""


@dataclass(frozen=True)
class StoreLimits:
    """`quota` and `min_free` (of the disk) are in bytes, ages in seconds, `letters` counts dead letters.

    Ages count the time that the host ran: a clock that is set drops nothing.
    """

    quota: int = 1024 * MIB
    min_free: int = 256 * MIB
    letters: int = 100_000
    letter_age: float = 30 * 86400.0
    result_age: float = 7 * 86400.0


class Quota:
    """What is used and what is free, in bytes; `trouble` says why nothing can be written just now."""

    def __init__(self, path: Path, limits: StoreLimits) -> None:
        self.limits = limits
        self.trouble: str | None = None
        self.stored = 0  # in the database, free pages not counted
        self.pending = 0  # submitted, and not yet committed
        self._path = path
        self._free = 0
        self._floor = 0

    @property
    def used(self) -> int:
        """Bytes in the database and on their way into it."""
        return self.stored + self.pending

    def look(self) -> None:
        """See how much of the disk is free; raises OSError. It may take as long as the disk likes."""
        disk = os.statvfs(self._path.parent)
        self._free = disk.f_bavail * disk.f_frsize
        self._floor = min(self.limits.min_free, int(disk.f_blocks * disk.f_frsize * LEAST_FREE))

    @property
    def takes_in(self) -> bool:
        """Whether new rows are welcome."""
        return (
            self.trouble is None
            and self.used < INTAKE * self.limits.quota
            and self._free >= self._floor
            and self.pending < MOST_PENDING
        )

    def has_room(self, size: int) -> bool:
        """Whether `size` bytes more leave the reserve alone; a disk that refuses for a while is no matter."""
        return self.used + size < INTAKE * self.limits.quota and self._free >= self._floor

    @property
    def why_not(self) -> str:
        """Why nothing is taken in, and what to do; empty when it is."""
        if self.takes_in:
            return ""
        if self.trouble is not None:
            return self.trouble
        if self._free < self._floor:
            return (
                f"only {say_size(self._free)} of the disk of {self._path.parent} are free, and"
                f" {say_size(self._floor)} are kept for what is under way: free some of it"
            )
        if self.used >= INTAKE * self.limits.quota:
            used, quota = say_size(self.used), say_size(self.limits.quota)
            return (
                f"{self._path} holds {used} of the {quota} that it may, and takes nothing new from"
                f" {INTAKE:.0%} on: bring back the brokers that results wait for, drop dead letters, keep"
                " results of asynchronous invocations for less long (limits.result_age), or allow it more"
            )
        waiting = say_size(self.pending)
        return f"{waiting} wait to be written to {self._path}: its disk is slower than what comes"
