"""`fnhost scale`: how many instances a function has."""

import click

from host.cli.names import complete_function
from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json

AUTO = "auto"


def _read_count(context: click.Context, parameter: click.Parameter, text: str) -> int | None:
    if text == AUTO:
        return None
    if not text.isdecimal():
        raise click.BadParameter(f"{text!r} is neither a whole number nor `{AUTO}`")
    return int(text)


@click.command()
@click.argument("name", shell_complete=complete_function)
@click.argument("instances", callback=_read_count, metavar=f"N|{AUTO}")
@output_option
@url_option
def scale(name: str, instances: int | None, url: str, output: str) -> None:
    """Fix the number of instances of the function NAME.

    With 0 there is none until an event comes; `auto` leaves the number to the load again.
    """
    with connected(url) as client:
        answer = client.scale(name, instances)
    if output == "json":
        print_json(answer)
    elif (told := answer.get("instances")) is None:
        click.echo(f"{name}: as many instances as the load needs")
    else:
        click.echo(f"{name}: {told} instances wanted, until `fnhost scale {name} {AUTO}`")
