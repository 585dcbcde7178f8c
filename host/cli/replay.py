"""`fnhost replay`: the input of an invocation, once more."""

import base64
import sys
from typing import Any

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json, printable


@click.command()
@click.argument("event_id", metavar="ID")
@click.option("--on", metavar="TARGET", help="What is to run it, instead of the live revision: industry@2.")
@output_option
@url_option
def replay(event_id: str, on: str | None, url: str, output: str) -> None:
    """Run the input of the invocation ID again.

    The answer is printed, as `fnhost invoke` does; nothing is published. It is a new event with an id of its
    own; the function sees the metadata of the old one.
    """
    from host.client.records import RecordsClient

    with connected(url) as client:
        outcome = RecordsClient(client).replay(event_id, on)
    if output == "json":
        print_json(outcome)
    else:
        _print(outcome)
    if error := outcome.get("error"):
        stack = "" if output == "json" else "".join(f"{line.rstrip()}\n" for line in error["stack"])
        said = f"{outcome['revision'] or outcome['target']}: {error['type']}: {error['message']}"
        raise CommandError(printable(f"{said}\n{stack}request id: {outcome['id']}"), Exit.FAILED)
    if outcome["status"] >= 400:
        raise CommandError(f"{outcome['target']} answered with HTTP {outcome['status']}", Exit.FAILED)


def _print(outcome: dict[str, Any]) -> None:
    body = outcome.get("body")
    for each in outcome.get("publications", ()):
        click.echo(f"not sent: a message to {printable(each['topic'])}", err=True)
    if body is not None:
        data = base64.b64decode(body) if outcome["encoding"] == "base64" else body.encode()
        click.echo(data, nl=sys.stdout.isatty() and not data.endswith(b"\n"))
