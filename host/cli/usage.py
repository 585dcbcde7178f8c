"""`fnhost usage`: what callers have had of functions."""

import click

from host.cli.options import connected, output_option, url_option
from host.cli.output import clock, print_json, print_table

COUNTS = ("events", "refused", "failed", "bytes_in", "bytes_out", "run_ms")


def _seconds(context: click.Context, option: click.Parameter, text: str | None) -> float | None:
    from conf.units import parse_duration

    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.option(
    "--by",
    type=click.Choice(["caller", "function"]),
    default="caller",
    show_default=True,
    help="One row each.",
)
@click.option("--since", metavar="DURATION", callback=_seconds, help="The last 6h or 2d, in whole hours.")
@output_option
@url_option
def usage(by: str, since: float | None, url: str, output: str) -> None:
    """Tell how many events each caller sent, or each function had."""
    with connected(url) as client:
        answer = client.usage(by, since)
    if output == "json":
        print_json(answer)
        return
    names = ("trigger", "caller") if by == "caller" else ("function",)
    rows = [[row.get(name) for name in (*names, *COUNTS)] for row in answer.get("usage", [])]
    print_table([*names, *COUNTS], rows)
    click.echo(f"since {clock(answer.get('since', 0))}", err=True)
