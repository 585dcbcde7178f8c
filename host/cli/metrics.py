"""`fnhost metrics`: what the host has kept of what it did."""

import sys
from collections.abc import Iterable
from itertools import chain
from typing import IO

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import connected, url_option

STEPS = ("auto", "1s", "10s", "1m")


@click.group()
def metrics() -> None:
    """Export what the host has kept of what it did."""


@metrics.command()
@click.option("--function", metavar="NAME", help="Of this function; without it, of the host.")
@click.option("--scope", type=click.Choice(["host", "function", "instance"]), help="Of all of these.")
@click.option(
    "--since", default="15m", show_default=True, metavar="DURATION", help="How far back; at most 24h."
)
@click.option("--step", type=click.Choice(STEPS), default="auto", show_default=True, help="Of a row.")
@click.option("--columns", metavar="A,B,…", help="Some of them only, such as events,failed,run_p99.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="Of the file.",
)
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="File to write; else stdout.")
@url_option
def export(url: str, output: str | None, form: str, function: str | None, **asked: str | None) -> None:
    """Write the history of the host, or of a function, as CSV or JSON.

    Each row has what came in its period: 1 s long for the last 15 minutes, 10 s for two hours, a minute for a
    day. docs/history.md tells the columns.
    """
    from host.client.history import export_history

    query = {"format": form, "function": function, **asked}
    with connected(url) as client:
        pieces = export_history(client, {name: value for name, value in query.items() if value is not None})
        first = next(pieces, b"")
        lines = _write(output, first, pieces)
        if function is not None and lines == 1:
            # Only the header: of a name that nobody has deployed this is an error.
            client.function(function)
            click.echo(f"{function} did nothing in that time; name a longer one with --since", err=True)


def _write(output: str | None, first: bytes, rest: Iterable[bytes]) -> int:
    """Write it all; returns the number of lines."""
    if output is None:
        return _put(sys.stdout.buffer, first, rest)
    try:
        # Opened once the host has answered, so that a refusal leaves an older file as it is.
        with open(output, "wb") as file:
            return _put(file, first, rest)
    except OSError as error:
        raise CommandError(
            f"{output} cannot be written ({error.strerror}); name another file with -o", Exit.USAGE
        ) from None


def _put(file: IO[bytes], first: bytes, rest: Iterable[bytes]) -> int:
    lines = 0
    for piece in chain((first,), rest):
        file.write(piece)
        lines += piece.count(b"\n")
    return lines
