"""How answers look on stdout: tables for people, JSON for programs."""

import json
import sys
import time
from collections.abc import Sequence

import click

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
UNBOUNDED = 10_000  # columns; what goes into a file or pipe is never cut


def print_json(value: object) -> None:
    """One document, indented, on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns under their names on stdout, as wide as the terminal; None is shown as `-`."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else UNBOUNDED)
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    console.print(table)


def shown(value: object) -> str:
    """A cell's text."""
    return "-" if value is None else printable(str(value)).replace("\n", " ")


def printable(text: str) -> str:
    """`text` with control characters spelled out, since a function could write to the terminal with them."""
    return text.encode("utf-8", "replace").decode().translate(CONTROLS)


def clock(epoch: float) -> str:
    """Local date and time of `epoch` (seconds), as people write it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch))
