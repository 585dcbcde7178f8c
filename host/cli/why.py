"""`fnhost why`: what was decided about a function's instances, and on what grounds."""

import click

from host.cli.names import complete_function
from host.cli.options import connected, output_option, url_option
from host.cli.output import clock, print_json, printable


@click.command()
@click.argument("name", shell_complete=complete_function)
@output_option
@url_option
def why(name: str, url: str, output: str) -> None:
    """Tell why the function NAME has as many instances as it has. The newest decision comes last."""
    with connected(url) as client:
        answer = client.why(name)
    if output == "json":
        print_json(answer)
        return
    for decision in answer.get("decisions", []):
        click.echo(f"{clock(decision['at'])}  {printable(str(decision['sentence']))}")
    if not answer.get("decisions"):
        click.echo(
            f"nothing was decided yet: the load of {name} has called for no change since it started", err=True
        )
