"""Deletes revisions that nobody goes back to any more: their rows, their environments, their packages."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from functions.registry import Registry
from host.deployment.catalog import Catalog
from host.deployment.files import RevisionFiles

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CollectorParts:
    """What the collector works with; `awaited` tells the targets that events on disk wait for."""

    catalog: Catalog
    registry: Registry
    files: RevisionFiles
    awaited: Callable[[], Awaitable[Collection[str]]]


class Collector:
    """Keeps of each function the live revision, the last `keep` that were ready, and the last that failed.

    What runs, what is still warm and what events on disk wait for is left for the next time. One function at
    a time, in the background.
    """

    def __init__(self, parts: CollectorParts, keep: int) -> None:
        self.keep = keep
        self._parts = parts
        self._turn = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, name: str) -> None:
        """Look at this function soon: a deploy of it has ended."""
        self._spawn(self._collect(name))

    def begin_all(self) -> None:
        """Look at all functions soon: the host has started."""
        self._spawn(self.collect_all())

    async def stop(self) -> None:
        """Begin nothing more; what has not gone by now goes after the next start."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except (OSError, sqlite3.Error) as error:
            logger.warning("old revisions are not deleted; the next deploy tries again: %s", error)

    async def collect_all(self) -> None:
        """Delete what a crash has left, and what was in use the last time."""
        stray = await asyncio.to_thread(self._parts.files.strays)
        crowded = self._parts.catalog.crowded(self.keep)
        for name in {*stray, *crowded}:
            await self._collect(name)

    async def _collect(self, name: str) -> None:
        parts = self._parts
        async with self._turn:
            async with parts.catalog.lock(name):
                awaited = await parts.awaited()
                old = parts.catalog.drop_old(name, self.keep, awaited)
                if old:
                    await asyncio.to_thread(parts.registry.remove_revisions, name, old)
                rubbish = await asyncio.to_thread(
                    parts.files.set_aside, name, parts.catalog.draining.packages
                )
            await asyncio.to_thread(parts.files.delete, rubbish)
        if old:
            told = ", ".join(f"{name}@{number}" for number in old)
            logger.info(
                "deleted %s; the live one and the last %d stay (limits.revisions)",
                told,
                self.keep,
                extra={"event": "revisions.deleted", "function": name, "revisions": old},
            )
