"""`fnhost config`: what is in a config file, before any host runs on it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from host.cli.apply import apply
from host.cli.exits import CommandError, Exit
from host.cli.output import print_json, printable

if TYPE_CHECKING:
    from conf.faults import Fault
    from conf.load import Examination

FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.group()
def config() -> None:
    """Check a config file, convert an old one, or print the schema."""


@config.command()
@FILE
def check(file: Path) -> None:
    """List every problem of the config FILE, what was assumed to read it, and what it promises less than it
    seems to; exit code 1 for problems."""
    from conf.faults import ConfigError
    from conf.load import examine_config

    try:
        found = examine_config(file, os.environ)
    except ConfigError as error:
        problems, notes, generation = error.faults, list[str](), None
    else:
        problems, generation = _problems(found), found.generation
        notes = [*map(str, found.notes), *([str(found.exposed)] if found.exposed else []), *_advice(found)]
    for line in [*(f"problem: {fault}" for fault in problems), *(f"note: {note}" for note in notes)]:
        click.echo(printable(line))
    read_as = f" (generation {generation})" if generation else ""
    click.echo(f"{file}{read_as}: {_count(len(problems), 'problem')}, {_count(len(notes), 'note')}")
    if problems:
        raise click.exceptions.Exit(Exit.FAILED)


@config.command()
@FILE
def convert(file: Path) -> None:
    """Print the config FILE in the native form, with a comment at each assumption; native files unchanged."""
    from conf.convert import convert_config
    from conf.faults import ConfigError

    try:
        click.echo(convert_config(file, os.environ), nl=False)
    except ConfigError as error:
        raise CommandError(str(error), Exit.USAGE) from None


@config.command()
@click.option("--panel", is_flag=True, help="As a form with Chinese titles (JSON Schema draft 4).")
def schema(panel: bool) -> None:
    """Print the JSON Schema of the config."""
    from conf.load import json_schema
    from conf.panel import panel_document

    print_json(panel_document() if panel else json_schema())


config.add_command(apply)


def _problems(found: "Examination") -> "list[Fault]":
    """All of them by line; a function that stops alone is a problem as well."""
    from host.deployment.package_check import package_faults

    known = [] if found.config is None else package_faults(found.config, os.environ)
    lacking = [found.locate(fault) for fault in known]
    problems = [*found.faults, *found.stopped.values(), *lacking]
    return sorted(problems, key=lambda fault: (fault.line or 0, fault.path))


def _advice(found: "Examination") -> list[str]:
    from conf.advice import advise

    if found.config is None:
        return []
    advice = advise(found.config, native=found.generation == "native")
    return [str(found.locate(each)) for each in advice]


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
