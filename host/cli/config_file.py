"""The option `--config` of the verbs that look at packages: a file that is read, and not applied."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from host.cli.exits import CommandError, Exit

if TYPE_CHECKING:
    from conf.models import Config

F = TypeVar("F", bound=Callable[..., Any])


def config_file_option(said: str) -> Callable[[F], F]:
    """`--config FILE`; passed on as `config_path`."""
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option("--config", "config_path", type=kind, help=said)


def read_given_config(path: Path | None) -> "Config":
    """The config in the file, or the one that holds without any; what is wrong with it ends the command."""
    from conf.faults import ConfigError
    from conf.load import load_config
    from conf.models import Config

    try:
        return load_config(path, os.environ) if path else Config()
    except ConfigError as error:
        raise CommandError(str(error), Exit.USAGE) from None
