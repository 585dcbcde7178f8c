"""The command line `fnhost`: one verb, one file.

Each file imports what is heavy inside its command, so that `fnhost --help` answers at once.
"""

import click

from host.cli.audit import audit
from host.cli.bench import bench
from host.cli.bridge import bridge
from host.cli.config import config
from host.cli.demo import demo
from host.cli.deploy import deploy
from host.cli.describe import describe
from host.cli.dlq import dlq
from host.cli.doctor import doctor
from host.cli.fake import fake
from host.cli.inspect import inspect
from host.cli.invoke import invoke
from host.cli.list import list_functions
from host.cli.logs import logs
from host.cli.remove import remove
from host.cli.scale import scale
from host.cli.serve import serve
from host.cli.token import token
from host.cli.usage import usage
from host.cli.why import why


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A function host for the edge: a model package becomes a function that answers HTTP and MQTT.

    \b
    Exit codes: 0 done, 1 the function failed (or `config check` or `doctor` found problems), 2 wrong usage or
    config, 3 no host answers, 4 not found, 5 package or deploy refused, 6 busy, unavailable or too late.
    """


for command in (
    serve,
    inspect,
    deploy,
    invoke,
    bench,
    list_functions,
    describe,
    scale,
    why,
    usage,
    logs,
    remove,
    dlq,
    demo,
    bridge,
    fake,
    config,
    doctor,
    token,
    audit,
):
    main.add_command(command)
