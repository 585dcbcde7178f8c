"""`fnhost logs`: what a function printed and logged."""

import json
from typing import Any

import click

from host.cli.options import connected, output_option, url_option
from host.cli.output import clock, printable


@click.command()
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("--tail", type=click.IntRange(min=0), default=100, show_default=True, help="Last lines.")
@output_option
@url_option
def logs(name: str, follow: bool, tail: int, url: str, output: str) -> None:
    """Show the log of the function NAME. `-o json` prints one object per line."""
    try:
        with connected(url) as client:
            for line in client.logs(name, tail, follow):
                click.echo(json.dumps(line, ensure_ascii=False) if output == "json" else _text(line))
    except KeyboardInterrupt:
        return  # the way to end --follow


def _text(line: dict[str, Any]) -> str:
    when = clock(line["time"]) if "time" in line else "-"
    level, revision, invocation = (str(line.get(key) or "-") for key in ("level", "revision", "id"))
    return f"{when} {level:<7} {revision} {invocation[:8]:<8} {printable(str(line.get('line', '')))}"
