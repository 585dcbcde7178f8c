"""`fnhost scale`: how many instances a function has."""

import click

from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json


@click.command()
@click.argument("name")
@click.argument("instances", type=click.IntRange(min=0))
@output_option
@url_option
def scale(name: str, instances: int, url: str, output: str) -> None:
    """Set the number of INSTANCES of the function NAME."""
    with connected(url) as client:
        answer = client.scale(name, instances)
    if output == "json":
        print_json(answer)
    else:
        click.echo(f"{name}: {answer.get('instances')} instances wanted")
