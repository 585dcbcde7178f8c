"""`fnhost init`: a new package, ready to run."""

import shlex
from pathlib import Path

import click

from functions.package_templates import TEMPLATES
from host.cli.exits import CommandError, Exit


@click.command()
@click.argument("name", required=False)
@click.option(
    "--template",
    type=click.Choice(TEMPLATES),
    default=TEMPLATES[0],
    show_default=True,
    help="What to begin with.",
)
def init(name: str | None, template: str) -> None:
    """Make the folder NAME with a package: code, manifest, samples, a test.

    Without NAME, the folder that you are in becomes the package.
    """
    from host.authoring.faults import AuthoringError
    from host.authoring.scaffold import make_package

    folder = Path.cwd() if name is None else Path(name)
    try:
        if name is not None and "/" in name:
            raise AuthoringError(f"{name!r} is a path and no function name; go to {folder.parent} first")
        made = make_package(folder, template)
    except AuthoringError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    for path in made:
        click.echo(f"  {path.relative_to(folder.parent if name else folder)}")
    where = shlex.quote(name) if name else "."
    click.echo("\nNext:")
    click.echo(f"  fnhost dev {where}      # serve it here, and deploy each save")
    click.echo(f"  fnhost test {where}     # run its samples")
    click.echo(f"  fnhost deploy {where}   # onto a host")
