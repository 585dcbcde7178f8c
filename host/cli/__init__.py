"""The command line `fnhost`: one verb, one file.

`fnhost --help` imports none of these files, and each imports what is heavy inside its command.
"""

import click

from host.cli.lazy import LazyGroup


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A function host for the edge: a model package becomes a function that answers HTTP and MQTT.

    \b
    Exit codes: 0 done, 1 the function failed (or `config check` or `doctor` found problems), 2 wrong usage or
    config, 3 no host answers, 4 not found, 5 package or deploy refused, 6 busy, unavailable or too late.
    """
