"""`fnhost package`: a folder as the zip that a host takes."""

from pathlib import Path

import click

from host.cli.config_file import config_file_option, read_given_config
from host.cli.exits import CommandError, Exit
from host.cli.output import printable
from host.private.tidying import tidying_up


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--with-wheels", is_flag=True, help="Add the wheels of all requirements: no index is needed then."
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The zip to write.  [default: NAME.zip]",
)
@config_file_option("The host's config, whose limits and requirements hold.")
@tidying_up()
def package(folder: Path, with_wheels: bool, target: Path | None, config_path: Path | None) -> None:
    """Pack DIR into a zip that is the same for the same files.

    Hidden files and __pycache__ stay out. Wheels are those for this platform and the manifest's Python.
    """
    config = read_given_config(config_path)
    from host.authoring.faults import AuthoringError, RefusedPackageError
    from host.authoring.packing import PackOrder, pack
    from host.authoring.private_host import name_of

    chosen = target or Path(f"{name_of(folder)}.zip")
    try:
        packed = pack(PackOrder(folder, chosen, with_wheels, config), _log)
    except RefusedPackageError as error:
        raise CommandError(printable(str(error)), Exit.REFUSED) from None
    except AuthoringError as error:
        raise CommandError(printable(str(error)), Exit.FAILED) from None
    wheels = f", {len(packed.wheels)} of them wheels" if packed.wheels else ""
    click.echo(f"{chosen}: {packed.size:,} bytes, {packed.files} files{wheels}, sha256 {packed.sha256}")


def _log(line: str) -> None:
    click.echo(f"  {printable(line)}", err=True)
