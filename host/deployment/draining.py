"""Pools that something else has taken the place of: each works off what it has, and ends."""

import asyncio
from collections.abc import Iterable

from runtime.pool import Pool

MARGIN = 5.0
LONGEST_AT_STOP = 20.0


class Draining:
    """A pool has its function's timeout and five seconds, but no more than 20 s once the host stops."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[None], Pool] = {}

    def begin(self, pool: Pool) -> asyncio.Task[None]:
        """Let it work off what it has, then end it. The task ends with it."""
        task = asyncio.get_running_loop().create_task(pool.drain(pool.spec.timeout + MARGIN))
        self._tasks[task] = pool
        task.add_done_callback(self._tasks.pop)
        return task

    async def wait_for(self, function: str) -> None:
        """Return when no pool of this function drains any more."""
        if tasks := [task for task, pool in self._tasks.items() if pool.spec.function == function]:
            await asyncio.wait(tasks)

    @property
    def pools(self) -> list[Pool]:
        """Those that have not ended."""
        return list(self._tasks.values())

    @property
    def packages(self) -> set[str]:
        """The sha256 of what they run."""
        return {pool.spec.sha256 for pool in self._tasks.values()}

    @property
    def labels(self) -> set[str]:
        """The revisions whose pools have not ended."""
        return {pool.label for pool in self._tasks.values()}

    async def finish(self, pools: Iterable[Pool]) -> None:
        """End these and those that drain: the host stops."""
        ending = {*pools, *self._tasks.values()}
        await asyncio.gather(
            *(pool.drain(min(LONGEST_AT_STOP, pool.spec.timeout)) for pool in ending), *self._tasks
        )
