"""How answers look on stdout: tables for people, JSON for programs."""

import json
import sys
import time
from collections.abc import Sequence
from datetime import datetime

import click

CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"} | {
    # They turn about what follows, so that a line would read as what it is not (https://trojansource.codes).
    code: f"\\u{code:04x}"
    for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
UNBOUNDED = 10_000  # columns; what goes into a file or pipe is never cut


def print_json(value: object) -> None:
    """One document, indented, on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]], cut: str | None = None) -> None:
    """Columns under their names on stdout, as wide as the terminal; None is shown as `-`.

    On a terminal the column `cut` has one line for each row, and what does not fit ends with an ellipsis.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, width=None if sys.stdout.isatty() else UNBOUNDED)
    table = Table(box=box.SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    cuts = [console.is_terminal and name == cut for name in header]
    for row in rows:
        # Asked of the text and not of the column, which would keep its width at the cost of the others.
        cells = zip(map(shown, row), cuts, strict=True)
        table.add_row(
            *(Text(text, no_wrap=each, overflow="ellipsis" if each else None) for text, each in cells)
        )
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


def zoned_clock(epoch: float) -> str:
    """As `clock`, with the zone: `2023-11-14 22:13:20+00:00`."""
    return datetime.fromtimestamp(epoch).astimezone().isoformat(" ", "seconds")
