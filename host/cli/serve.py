"""`fnhost serve`: the host itself."""

import os
import sys

import click

from host.cli.exits import CommandError, Exit


@click.command()
@click.option("-c", "--config", metavar="FILE", help="Config file (FNHOST_CONFIG).")
@click.option(
    "--listen", metavar="HOST:PORT", help="Where to listen (FNHOST_LISTEN); by default 127.0.0.1:5888."
)
@click.option("--state", metavar="DIR", help="Folder for packages and revisions (FNHOST_STATE).")
@click.option(
    "--allow-anonymous",
    is_flag=True,
    default=None,
    help="Let everybody do everything without a token (FNHOST_ALLOW_ANONYMOUS).",
)
@click.option("--log-form", metavar="auto|text|json", help="Form of the host's own log (FNHOST_LOG_FORM).")
@click.option(
    "--log-level",
    metavar="debug|info|warning|error",
    help="What less than this is left out (FNHOST_LOG_LEVEL).",
)
def serve(**flags: object) -> None:
    """Run the host until it is told to stop (SIGTERM, Ctrl-C)."""
    from conf.faults import ConfigError
    from conf.settings import gather_settings
    from host.access.first_token import VARIABLE, ensure_token
    from host.access.keeper import KeeperError
    from host.access.token_file import AccessFileError
    from host.access.tokens import has_live_token

    has_token = ensure_token if os.environ.get(VARIABLE) == "1" else has_live_token
    try:
        settings = gather_settings(flags, os.environ, has_token)
    except (AccessFileError, ConfigError, KeeperError) as error:
        raise CommandError(str(error), Exit.USAGE) from None
    from host.serve import serve as run

    sys.exit(run(settings))
