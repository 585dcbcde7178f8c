"""`fnhost config apply`: a running host goes over to another config."""

from pathlib import Path

import click

from host.cli.exits import Exit
from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json, printable
from host.cli.waiting import waiting


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@output_option
@url_option
def apply(file: Path, url: str, output: str) -> None:
    """Have the running host go over to the config FILE; a FILE with a problem changes nothing.

    The host reads the file itself. It holds until the host is started again, unless it is the host's own.
    """
    with connected(url, refused=Exit.REFUSED) as client, waiting(f"going over to {file}"):
        answer = client.apply_config(file.absolute())
    if output == "json":
        print_json(answer)
    else:
        for change in answer.get("changes", []):
            click.echo(printable(str(change)))
