"""How far a load is: a bar for each step, on a terminal's stderr."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from host.load.verdict import tell_rate, tell_time

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from host.load.search import Judged

PERIOD = 0.5  # seconds: drawing takes the load generator's time, and must not show in its p99


class NoBars:
    """Nobody looks."""

    def begin(self, rate: float) -> None:
        """A step begins."""

    def end(self, judged: "Judged") -> None:
        """The step is over."""


class StepBars:
    """Draws the steps so far and the one at work."""

    def __init__(self, progress: "Progress", seconds: float) -> None:
        self._progress = progress
        self._seconds = seconds
        self._drawing: asyncio.TimerHandle | None = None

    def begin(self, rate: float) -> None:
        """A bar that fills as the step goes on."""
        task = self._progress.add_task(f"{tell_rate(rate):>18}", total=self._seconds, found="")
        self._draw(task, asyncio.get_running_loop().time())

    def _draw(self, task: "TaskID", begun: float) -> None:
        loop = asyncio.get_running_loop()
        self._progress.update(task, completed=loop.time() - begun)
        self._progress.refresh()
        self._drawing = loop.call_later(PERIOD, self._draw, task, begun)

    def end(self, judged: "Judged") -> None:
        """The bar is full, and says what was found."""
        if self._drawing is not None:
            self._drawing.cancel()
        step, task = judged.step, self._progress.task_ids[-1]
        word = "held" if judged.held else "too much"
        found = f"p50 {tell_time(step.p50)}, p99 {tell_time(step.p99)}: {word}"
        self._progress.update(task, completed=self._seconds, found=found)
        self._progress.refresh()


@contextmanager
def open_bars(seconds: float) -> Iterator[NoBars | StepBars]:
    """Bars for steps of so many seconds, gone at the end; none where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield NoBars()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[found]}")
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as progress:
        yield StepBars(progress, seconds)
