"""`fnhost doctor`: what this machine has for functions, and what to do about the rest."""

import os
from dataclasses import asdict

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import output_option
from host.cli.output import print_json, print_table, printable

COLUMNS = ("wall", "here", "what for, or why not", "what to do")


@click.command()
@click.option("-c", "--config", metavar="FILE", help="Config file (FNHOST_CONFIG).")
@click.option("--state", metavar="DIR", help="Folder for packages and revisions (FNHOST_STATE).")
@output_option
def doctor(output: str, **flags: object) -> None:
    """Tell what this machine lacks for a host, and how to mend it.

    Exit code 1 when `fnhost serve` would refuse to start. Needs no running host, and is to be run as the same
    user and in the same surroundings.
    """
    from conf.faults import ConfigError
    from conf.settings import gather_settings
    from host.doctor import examine

    try:
        settings = gather_settings(flags, os.environ)
    except ConfigError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    reports = examine(settings)
    if output == "json":
        print_json([asdict(report) for report in reports])
    else:
        for report in reports:
            rows = [
                [each.name, "yes" if each.here else "no", each.why, each.remedy] for each in report.findings
            ]
            if rows:
                print_table(COLUMNS, rows)
            click.echo(printable(report.verdict))
    if not all(report.sound for report in reports):
        raise click.exceptions.Exit(Exit.FAILED)
