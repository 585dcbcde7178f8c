"""Deploys that callers asked for, each a task of its own: a caller who goes away does not cut one off."""

import asyncio
import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path

from host.deployment.deployer import Deployer, DeployError, Line
from host.deployment.orders import Prepared
from host.full_disk import FULL, is_out_of_room, tell_refused

logger = logging.getLogger(__name__)

MOST_WAITING = 1000
"""Lines that wait for a caller who does not read; of what a build prints, more are left out."""

Lines = asyncio.Queue[Line | None]


class DeployTasks:
    """Runs deploys and tells their progress line by line, None at the end; `state` is the state folder."""

    def __init__(self, deployer: Deployer, state: Path) -> None:
        self._deployer = deployer
        self._state = state
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, prepared: Prepared, ended: Callable[[], None]) -> Lines:
        """Deploy it; the lines come as they are told, and `ended` is called when it has ended."""
        lines: Lines = asyncio.Queue()
        task = asyncio.get_running_loop().create_task(self._run(prepared, lines))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: ended())
        return lines

    async def stop(self) -> None:
        """Cut off what is being deployed; what ran before still runs."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, prepared: Prepared, lines: Lines) -> None:
        try:
            lines.put_nowait(await self._deployer.deploy(prepared, BoundedTelling(lines)))
        except DeployError as error:
            refused: Line = {"status": 422, "title": error.title, "detail": str(error), "stack": error.stack}
            lines.put_nowait({"type": "error", **refused, **self._tell_full(error)})
        except Exception as error:
            if (told := self._tell_disk(error)) is None:
                logger.exception("a deploy of %s failed", prepared.name, extra={"function": prepared.name})
                detail = f"{type(error).__name__}: {error}"
                told = {"status": 500, "title": "The deploy failed", "detail": detail}
            lines.put_nowait({"type": "error", **told})
        finally:
            lines.put_nowait(None)

    def _tell_full(self, error: DeployError) -> Line:
        """What is to be said instead where it was no fault of the package: uv found no room."""
        if not (error.retryable and os.strerror(errno.ENOSPC) in str(error)):
            return {}
        return {"status": 507, "title": FULL, "detail": f"{tell_refused(self._state)} ({error})"}

    def _tell_disk(self, error: Exception) -> Line | None:
        if is_out_of_room(error):
            return {"status": 507, "title": FULL, "detail": tell_refused(self._state)}
        if isinstance(error, OSError):
            return {"status": 507, "title": "The disk refused", "detail": str(error)}
        return None


class BoundedTelling:
    """Puts lines into a queue; those of a build are left out, and counted, while too many wait there."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._left_out = 0

    def __call__(self, line: Line) -> None:
        """Put it there, or leave it out."""
        if line["type"] == "log" and self._lines.qsize() >= MOST_WAITING:
            self._left_out += 1
            return
        if self._left_out:
            self._lines.put_nowait({"type": "log", "line": f"({self._left_out} lines were left out here)"})
            self._left_out = 0
        self._lines.put_nowait(line)
