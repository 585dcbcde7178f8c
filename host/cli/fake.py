"""`fnhost fake`: stand-ins for the world around the host."""

import os

import click

from host.cli.exits import CommandError, Exit

PORT = 18080


@click.group()
def fake() -> None:
    """Stand-ins for the world around the host."""


@fake.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Port; 0: any that is free.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same records.")
def serve(port: int, seed: int) -> None:
    """Serve endless records on 127.0.0.1: /car, /th and /telemetry, one line of JSON per GET."""
    from host.fake.records import PATHS
    from host.fake.serve import HOST, serve_records, take_port

    try:
        listening = take_port(port)
    except OSError as error:
        message = (
            f"cannot listen on {HOST}:{port}: {os.strerror(error.errno or 0)}; choose another with --port"
        )
        raise CommandError(message, Exit.USAGE) from None
    with listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        click.echo(f"fake records: {' '.join(address + path for path in PATHS)}", err=True)
        serve_records(listening, seed)
