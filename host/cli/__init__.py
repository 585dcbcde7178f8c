"""The command line `fnhost`: one verb, one file.

`fnhost --help` imports none of these files, and each imports what is heavy inside its command.
"""

import click

from host.cli.exits import MEANINGS
from host.cli.lazy import LazyGroup

EXITS = "\b\nExit codes:\n" + "\n".join(f"  {code.value:<2}  {told}" for code, told in MEANINGS.items())


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXITS)
def main() -> None:
    """A function host for the edge: a model package becomes a function that answers HTTP and MQTT.

    What this machine lacks for it, and how to mend that: `fnhost doctor`. A first look: `fnhost demo`.
    """
