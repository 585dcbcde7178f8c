"""`fnhost check`: what a deploy would say of a package, without a host."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from host.cli.config_file import config_file_option, read_given_config
from host.cli.exits import CommandError, Exit
from host.cli.options import output_option
from host.cli.output import print_json, printable
from host.private.tidying import tidying_up

if TYPE_CHECKING:
    from host.authoring.examination import Findings


@click.command()
@click.argument("package", type=click.Path(exists=True, path_type=Path))
@config_file_option("The host's config: its limits, policy for pickles, requirements and secrets.")
@output_option
@tidying_up()
def check(package: Path, config_path: Path | None, output: str) -> None:
    """Say all that a deploy of PACKAGE would say, without a host.

    PACKAGE is a folder or a zip; nothing of it is run, and no index of packages is asked. Exit code 5 when it
    would be refused.
    """
    config = read_given_config(config_path)
    from host.authoring.examination import examine

    findings = examine(package, config, is_given=config_path is not None)
    if output == "json":
        print_json(findings.as_json())
    else:
        _print(findings)
    if findings.refused:
        told = "a host would refuse it; mend what is `refused` above"
        raise CommandError(printable(findings.refused[0]) if output == "json" else told, Exit.REFUSED)


def _print(findings: "Findings") -> None:
    for title, lines in (
        ("refused", findings.refused),
        ("note", findings.notes),
        ("not checked", findings.unchecked),
    ):
        for line in lines:
            click.echo(f"{title}: {printable(line)}")
    if not findings.refused:
        click.echo(f"{findings.name}: a host would take it")
