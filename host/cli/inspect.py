"""`fnhost inspect`: what stands in a package, without a host and without running any of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from host.cli.config_file import config_file_option, read_given_config
from host.cli.exits import CommandError, Exit
from host.cli.options import output_option
from host.cli.output import print_json, printable, shown
from host.cli.waiting import waiting
from host.private.tidying import tidying_up

if TYPE_CHECKING:
    from conf.models import Config
    from host.deployment.inspection import Inspection

MOST_SHOWN = 30


@click.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@config_file_option("Config with `pickles` and `requirements` that hold for packages.")
@output_option
@tidying_up()
def inspect(path: Path, config_path: Path | None, output: str) -> None:
    """Say what is in PATH, a zip or a folder, and what its pickles import.

    Nothing of it is run. Versions are compared with those that its requirements pin; a deploy compares with
    those installed.
    """
    from tempfile import TemporaryDirectory

    from functions.errors import PackageError

    with TemporaryDirectory(prefix="fnhost-") as folder, waiting(f"reading {path}"):
        try:
            inspection = _inspect(path, Path(folder), read_given_config(config_path))
        except PackageError as error:
            raise CommandError(printable(str(error)), Exit.REFUSED) from None
        except PermissionError as error:
            told = f"{error.filename} cannot be read ({error.strerror}); mend that and try again"
            raise CommandError(printable(told), Exit.REFUSED) from None
    if output == "json":
        print_json(inspection.as_json())
    else:
        _print(inspection)
    if (refusal := inspection.refusal) is not None:
        raise CommandError(printable(refusal), Exit.REFUSED)


def _inspect(path: Path, folder: Path, config: "Config") -> "Inspection":
    from functions.package import open_package, pack_folder
    from host.authoring.foresight import base_for, inspect_before

    if path.is_dir():
        pack_folder(path.resolve(), folder / "package.zip")
    package = open_package(folder / "package.zip" if path.is_dir() else path, folder / "package")
    name = package.manifest.name or package.default_name or path.resolve().stem
    return inspect_before(package, base_for(package, name, config), config)


def _print(inspection: "Inspection") -> None:
    told = inspection.as_json()
    facts = {
        "handler": told["handler"] or "index:index, or index:handler",
        "python": told["python"] or "the host's own",
        "size": f"{told['size']:,} bytes in {told['file_count']} files",
        "requirements": ", ".join(told["requirements"]) or None,
        "wheels": ", ".join(told["wheels"]) or None,
        "models": ", ".join(f"{name}: {file}" for name, file in told["models"].items()) or None,
        "input": told["input"] and json.dumps(told["input"], ensure_ascii=False),
    }
    for name, value in facts.items():
        click.echo(f"{name + ':':<14}{shown(value)}")
    for each in told["pickles"]:
        click.echo()
        for line in _describe(each):
            click.echo(printable(line))
    if notes := list(inspection.lines()):
        click.echo()
    for note in notes:
        click.echo(f"note: {printable(note)}")


def _describe(pickle: dict[str, Any]) -> Iterator[str]:
    made = [f"{name} {version}" for name, version in pickle["versions"].items()]
    made += [f"byte code of Python {version}" for version in pickle["python"]]
    yield f"{pickle['file']}: {pickle['size']:,} bytes, pickle protocol {pickle['protocol']}"
    if made:
        yield f"  made with   {', '.join(made)}"
    for title, names in (("imports", pickle["imports"]), ("calls", pickle["calls"])):
        for number, name in enumerate(names[:MOST_SHOWN]):
            yield f"  {title if not number else '':<10}  {name}"
        if len(names) > MOST_SHOWN:
            yield f"  {'':<10}  … and {len(names) - MOST_SHOWN} more (-o json shows all)"
