"""What a person sees who has waited for longer than a second: that it goes on, and how far it is."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status

AFTER = 1.0
"""Seconds before anything is shown, so that what is quick neither flickers nor imports rich."""


class _Spinner:
    """A line on stderr, from `begin` until `end`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._status: Status | None = None

    def begin(self) -> None:
        """Show it."""
        from rich.console import Console
        from rich.markup import escape
        from rich.status import Status

        self._status = Status(escape(self._text), console=Console(stderr=True))
        self._status.start()

    def tell(self, text: str) -> None:
        """Say another text, now or when it begins."""
        from rich.markup import escape

        self._text = text
        if self._status is not None:
            self._status.update(escape(text))

    def end(self) -> None:
        """Take it away."""
        if self._status is not None:
            self._status.stop()


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """Shows `text` on a terminal's stderr as long as the block lasts; yields what changes the text."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    spinner = _Spinner(text)
    timer = Timer(AFTER, spinner.begin)
    timer.start()
    try:
        yield spinner.tell
    finally:
        timer.cancel()
        timer.join()
        spinner.end()
