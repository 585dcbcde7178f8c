"""`fnhost bridge`: polls an HTTP source into an MQTT topic."""

import os
from pathlib import Path

import click

from host.cli.exits import CommandError, Exit


@click.command()
@click.option("-c", "--config", "file", metavar="FILE", required=True, help="Bridge file.")
def bridge(file: str) -> None:
    """Publish what an HTTP source answers, byte for byte.

    It runs until it is told to stop (SIGTERM, Ctrl-C).
    FILE has `input.http_client`, `output.mqtt` and `rate_limit_resources`, as the older program's bridge.
    """
    from conf.bridge_file import load_bridge
    from conf.faults import ConfigError

    path = Path(file).expanduser()
    try:
        config = load_bridge(path, os.environ)
    except ConfigError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    from host.bridges import run_bridge

    run_bridge(path.stem, config)
