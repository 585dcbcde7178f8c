"""`fnhost doctor`: what this machine has for a host, and what to do about the rest."""

import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import output_option
from host.cli.output import print_json, printable
from host.cli.waiting import waiting

if TYPE_CHECKING:
    from host.doctor.findings import Case, Finding, Section

COLORS = {"ok": "green", "lack": "yellow", "fault": "red"}


@click.command()
@click.option("-c", "--config", metavar="FILE", help="Config file (FNHOST_CONFIG).")
@click.option("--listen", metavar="HOST:PORT", help="Where the host would listen (FNHOST_LISTEN).")
@click.option("--state", metavar="DIR", help="Folder for packages and revisions (FNHOST_STATE).")
@output_option
def doctor(output: str, **flags: object) -> None:
    """Tell what this machine lacks for a host, and how to mend it.

    What is marked `lack`, the host does without; with a `fault` `fnhost serve` would refuse to start, and the
    exit code is 1. Needs no running host, changes nothing, and is to be run as the same user and in the same
    surroundings.
    """
    from host.doctor.examine import examine

    with waiting("looking at this machine"):
        sections = examine(_case(flags))
    sound = all(section.sound for section in sections)
    if output == "json":
        print_json({"sound": sound, "sections": [asdict(section) for section in sections]})
    else:
        for section in sections:
            _print(section)
        click.echo("`fnhost serve` would start" if sound else "`fnhost serve` would refuse to start")
    if not sound:
        raise click.exceptions.Exit(Exit.FAILED)


def _case(flags: dict[str, object]) -> "Case":
    """What the flags and the environment say; without the config file where that cannot be used."""
    from conf.faults import ConfigError
    from conf.settings import gather_settings
    from host.doctor.findings import Case

    try:
        return Case(gather_settings(flags, os.environ, _has_token), os.environ, None, time.time)
    except ConfigError as error:
        refused = error
    without = {name: value for name, value in os.environ.items() if name != "FNHOST_CONFIG"}
    try:
        settings = gather_settings({**flags, "config": ""}, without, lambda _: True)
    except ConfigError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    return Case(settings, os.environ, refused, time.time)


def _has_token(state: Path) -> bool:
    """As `fnhost serve` sees it; a file of tokens that cannot be read is told with the state folder."""
    from host.access.token_file import AccessFileError
    from host.access.tokens import has_live_token

    try:
        return has_live_token(state)
    except (AccessFileError, OSError):
        return True


def _print(section: "Section") -> None:
    click.echo(click.style(f"{section.section}: ", bold=True) + printable(section.verdict))
    width = max((len(each.name) for each in section.findings), default=0)
    for finding in section.findings:
        _print_finding(finding, width)
    click.echo()


def _print_finding(finding: "Finding", width: int) -> None:
    mark = click.style(f"{finding.state:<5}", fg=COLORS[finding.state])
    click.echo(f"  {mark}  {finding.name:<{width}}  {printable(finding.what)}")
    for word, text in (("why", finding.why), ("fix", finding.remedy)):
        if text:
            click.echo(f"  {'':<5}  {'':<{width}}  {word}: {printable(text)}")
