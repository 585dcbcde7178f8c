"""`fnhost top`: what the host and its functions do just now."""

import contextlib
import os
import select
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from host.cli.list import condition
from host.cli.options import client_of, explained, url_option
from host.cli.output import print_table, printable
from host.cli.top_figures import HEADER, Picture, take_picture

if TYPE_CHECKING:
    from rich.console import Group

RESTARTS = (401, 503)
"""What a host that was started again answers: it does not know the token of before, or is not there yet."""
QUIT = frozenset(b"qQ\x03\x04")


@click.command()
@click.option("--once", is_flag=True, help="Print one table, as it is done where stdout is no terminal.")
@click.option(
    "--interval",
    type=click.FloatRange(0.5, 3600),
    default=2.0,
    show_default=True,
    metavar="SECONDS",
    help="From one look to the next.",
)
@url_option
def top(url: str, once: bool, interval: float) -> None:
    """Watch what the host and its functions do just now.

    Rates and times are of the last five seconds, the busiest function comes first, q or Ctrl-C ends it.
    """
    with explained(), contextlib.closing(_Looker(url)) as looker:
        picture = looker.look()
        if once or not sys.stdout.isatty():
            click.echo(picture.line)
            print_table(HEADER, picture.rows)
            return
        with contextlib.suppress(KeyboardInterrupt):
            _watch(looker, picture, interval)


class _Looker:
    """Looks at the host, and at the one that is started in its place."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = client_of(url)

    @property
    def url(self) -> str:
        return self._client.url

    def look(self) -> Picture:
        return take_picture(self._client, condition)

    def begin_again(self) -> None:
        """A host that is started again has another token for its user."""
        self.close()
        self._client = client_of(self._url)

    def close(self) -> None:
        self._client.__exit__()


def _watch(looker: _Looker, picture: Picture, interval: float) -> None:
    from rich.live import Live

    from host.client.errors import RefusedError, UnreachableError

    with _keys() as keys, Live(screen=True, auto_refresh=False) as live:
        note = ""
        while True:
            live.update(_draw(looker.url, picture, note, live.console.height), refresh=True)
            if _quits(keys, interval):
                return
            try:
                picture, note = looker.look(), ""
            except (UnreachableError, RefusedError) as error:
                if isinstance(error, RefusedError) and error.status not in RESTARTS:
                    raise
                note = str(error)
                looker.begin_again()


def _draw(url: str, picture: Picture, note: str, height: int) -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold reverse", expand=True)
    for place, name in enumerate(HEADER):
        table.add_column(name, justify="left" if place < 2 else "right", no_wrap=True, overflow="ellipsis")
    head = Text(f"{url}  {time.strftime('%H:%M:%S')}  {picture.line}")
    # Below the head, which may take some lines, and above the bottom.
    room = max(1, height - 6)
    for row in picture.rows[:room]:
        table.add_row(*(Text(printable(cell)) for cell in row))
    more = len(picture.rows) - room
    below = note or (f"and {more} more, less busy" if more > 0 else "q ends this")
    return Group(head, table, Text(printable(below), style="red" if note else "dim"))


@contextlib.contextmanager
def _keys() -> Iterator[bool]:
    """Let keys be read one by one; False where they cannot be."""
    if not sys.stdin.isatty():
        yield False
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield True
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _quits(keys: bool, interval: float) -> bool:
    """Wait so long; whether somebody wants to end it."""
    deadline = time.monotonic() + interval
    while keys and (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([sys.stdin], [], [], left)
        # Past Python's buffer, which `select` does not see.
        if ready and (not (typed := os.read(sys.stdin.fileno(), 64)) or set(typed) & QUIT):
            return True
    time.sleep(max(0.0, deadline - time.monotonic()))
    return False
