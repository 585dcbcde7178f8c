"""`fnhost dev`: a package folder served to its author."""

from pathlib import Path

import click

from host.cli.exits import CommandError, Exit
from host.private.tidying import tidying_up


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on loopback; else any.")
@click.option(
    "--event",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Sample to send after each deploy, such as samples/hot.json.",
)
@click.option("--once", is_flag=True, help="Deploy, send one sample, show the answer, end.")
@tidying_up()
def dev(folder: Path, port: int, event: Path | None, once: bool) -> None:
    """Serve DIR on this machine, and deploy it again at each save.

    Each event, answer, printed line and fault is shown. Needs no running host and no config, and leaves
    nothing behind.
    """
    from host.authoring.dev import DevOrder, run_dev
    from host.authoring.faults import AuthoringError, RefusedPackageError
    from host.client.errors import ClientError
    from host.private.child import ChildError

    try:
        run_dev(DevOrder(folder, port, event, once))
    except RefusedPackageError as error:
        raise CommandError(str(error), Exit.REFUSED) from None
    except AuthoringError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    except (ChildError, ClientError) as error:
        raise CommandError(str(error), Exit.FAILED) from None
