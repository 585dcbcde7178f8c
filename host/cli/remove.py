"""`fnhost remove`: takes a function away."""

import sys

import click

from host.cli.exits import CommandError, Exit
from host.cli.names import complete_function
from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json


@click.command()
@click.argument("name", shell_complete=complete_function)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@output_option
@url_option
def remove(name: str, yes: bool, url: str, output: str) -> None:
    """Remove the function NAME with all its revisions."""
    if not yes:
        _ask(name)
    with connected(url) as client:
        answer = client.remove(name)
    if output == "json":
        print_json(answer)
    else:
        click.echo(f"{name} is removed")


def _ask(name: str) -> None:
    if not sys.stdin.isatty():
        raise CommandError(f"nobody is there to ask whether {name} may go; add --yes", Exit.USAGE)
    click.confirm(f"Remove {name} with all its revisions?", abort=True, err=True)
