"""How a deploy's progress is shown: live on a terminal, else as one line per step, both on stderr."""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.progress_bar import ProgressBar

BAR = 40  # columns
LAST_LINES = 5
LINES_OF_FAILURE = 20


class Progress(Protocol):
    """Where a deploy's progress goes."""

    def step(self, name: str, message: str) -> None:
        """The deploy has come to this step."""

    def sent(self, gone: int, total: int) -> None:
        """So many bytes of the package are on their way to the host."""

    def log(self, line: str) -> None:
        """The build said this."""

    def note(self, line: str) -> None:
        """Something that a person should know, however the deploy ends."""

    def fail(self) -> None:
        """The deploy failed; its last log lines may say why."""


@contextmanager
def open_progress() -> Iterator[Progress]:
    """The progress that suits stderr."""
    if not sys.stderr.isatty():
        yield PlainProgress()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True), refresh_per_second=10, transient=True) as live:
        yield LiveProgress(live)


class PlainProgress:
    """One line per step."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=LINES_OF_FAILURE)

    def step(self, name: str, message: str) -> None:
        """Writes the step."""
        click.echo(f"{name}: {message}", err=True)

    def sent(self, gone: int, total: int) -> None:
        """Nobody watches."""

    def log(self, line: str) -> None:
        """Keeps the line for the case of failure."""
        self.lines.append(line)

    def note(self, line: str) -> None:
        """Writes it."""
        click.echo(f"note: {line}", err=True)

    def fail(self) -> None:
        """Writes the last lines of the log."""
        for line in self.lines:
            click.echo(f"  {line}", err=True)


class LiveProgress(PlainProgress):
    """The steps so far, the one at work with a spinner and the last log lines under it."""

    def __init__(self, live: "Live") -> None:
        super().__init__()
        self.live = live
        self.steps: list[str] = []
        self._upload: ProgressBar | None = None

    def step(self, name: str, message: str) -> None:
        """Shows the step as the one at work."""
        self.steps.append(f"{name}: {message}")
        self.live.update(self._picture())

    def sent(self, gone: int, total: int) -> None:
        """Fills a bar, until the first step of the host takes its place."""
        from rich.progress_bar import ProgressBar

        self._upload = self._upload or ProgressBar(total, width=BAR)
        self._upload.update(gone)
        self.live.update(self._picture())

    def log(self, line: str) -> None:
        """Shows the line under the step."""
        super().log(line)
        self.live.update(self._picture())

    def note(self, line: str) -> None:
        """Writes it above what is at work."""
        from rich.text import Text

        self.live.console.print(Text(f"note: {line}", style="yellow"))

    def fail(self) -> None:
        """Leaves the live display and writes the last lines of the log."""
        self.live.stop()
        super().fail()

    def _picture(self) -> "Group":
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        if self._upload is not None and not self.steps:
            from conf.quantities import say_size

            gone, total = say_size(self._upload.completed), say_size(self._upload.total or 0)
            return Group(Text(f"upload: {gone} of {total}"), self._upload)
        past = [Text(f"✓ {step}", style="green") for step in self.steps[:-1]]
        now = [Spinner("dots", Text(step)) for step in self.steps[-1:]]
        lines = [Text(f"  {line}", style="dim", no_wrap=True) for line in list(self.lines)[-LAST_LINES:]]
        return Group(*past, *now, *lines)
