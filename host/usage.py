"""Gives usage its place in the host: kept in a small file, so that a restart goes on counting."""

import asyncio
import json
import logging
import os
from pathlib import Path

from host.lifecycle import Part
from runtime.steadily import steadily
from runtime.usage import Rows, Usage, dump, load

logger = logging.getLogger(__name__)

FLUSH_EVERY = 60.0


class UsagePart(Part):
    """Reads `file` at the start, and writes it each minute in which something was counted, and at the end."""

    name = "usage"
    priority = 160

    def __init__(self, usage: Usage, file: Path) -> None:
        self._usage = usage
        self._file = file
        self._counted = (0, 0)
        self._flushing: asyncio.Task[None] | None = None

    async def setup(self) -> None:
        """Go on from what was counted; a file that cannot be read is left behind."""
        try:
            told = json.loads(await asyncio.to_thread(self._file.read_bytes))
            self._usage.earlier = load(told["earlier"])
            self._usage.hours |= {int(hour): load(rows) for hour, rows in told["hours"].items()}
            self._usage.began = float(told["began"])
            self._usage.turn()
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            logger.warning("usage is counted from now on, since %s cannot be read: %s", self._file, error)

    async def start(self) -> None:
        """Begin to write."""
        self._flushing = asyncio.create_task(steadily("usage", self.flush, FLUSH_EVERY))

    async def stop(self) -> None:
        """Write the last of it."""
        if self._flushing is not None:
            self._flushing.cancel()
        self._counted = (-1, -1)
        await self.flush()

    async def flush(self) -> None:
        """Write what was counted, if anything was."""
        usage = self._usage
        usage.turn()
        counted, (earlier, last) = usage.counted, self._counted
        # Once more than something came, since what came may have ended later.
        if counted == earlier:
            return
        # The thread has rows of its own, since new ones may be opened meanwhile.
        hours = {hour: dict(rows) for hour, rows in usage.hours.items() if rows}
        try:
            await asyncio.to_thread(_replace, self._file, usage.began, dict(usage.earlier), hours)
            self._counted = (last, counted)
        except OSError as error:
            logger.warning(
                "usage cannot be written to %s: %s",
                self._file,
                error.strerror,
                extra={"file": str(self._file)},
            )


def _replace(file: Path, began: float, earlier: Rows, hours: dict[int, Rows]) -> None:
    told = {hour: dump(rows) for hour, rows in hours.items()}
    text = json.dumps({"began": began, "earlier": dump(earlier), "hours": told})
    new = file.with_suffix(".new")
    # Names of callers are nobody else's business.
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.write(text)
    new.replace(file)
