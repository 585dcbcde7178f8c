"""`fnhost list`: all functions at a glance."""

from typing import Any

import click

from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json, print_table

COLUMNS = ("name", "revision", "state", "instances", "in flight", "queued", "last error")


@click.command("list")
@output_option
@url_option
def list_functions(url: str, output: str) -> None:
    """List the functions."""
    with connected(url) as client:
        functions = client.functions()
    if output == "json":
        print_json(functions)
    elif functions:
        print_table(COLUMNS, [_row(function) for function in functions])
    else:
        click.echo("no function yet; `fnhost deploy PATH` makes one", err=True)


def _row(function: dict[str, Any]) -> list[object]:
    return [
        function["name"],
        function.get("revision"),
        condition(function),
        f"{function.get('instances')}/{function.get('wanted')}",
        function.get("in_flight"),
        function.get("queued"),
        function.get("last_error"),
    ]


def condition(function: dict[str, Any]) -> object:
    """How warm a function is, unless there is more to say of it: that it starts, fails or is missing."""
    state = function.get("state")
    return function.get("temperature", state) if state in ("ready", "cold") else state
