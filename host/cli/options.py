"""What the commands that talk to a host share: how to find it, and what its refusals mean here."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click
from click.core import ParameterSource

from host.cli.exits import BY_STATUS, CommandError, Exit
from host.cli.output import printable

if TYPE_CHECKING:
    from host.client.client import Client
    from host.client.errors import RefusedError

F = TypeVar("F", bound=Callable[..., Any])

_KEPT = "fnhost.authorization"
DEFAULT_URL = "http://127.0.0.1:5888"


def url_option(command: F) -> F:
    """`--url`, or FNHOST_URL; and `--token-file`, which is not passed on: `connected` knows it."""
    url = click.option(
        "--url", envvar="FNHOST_URL", default=DEFAULT_URL, show_default=True, help="Where the host answers."
    )
    file = click.option(
        "--token-file",
        type=click.File(),
        expose_value=False,
        callback=_keep_token,
        help="File with a token (else FNHOST_TOKEN; a host of this user on loopback needs none).",
    )
    return url(file(command))


def _keep_token(context: click.Context, parameter: click.Parameter, file: TextIO | None) -> None:
    # An argument could be read by everybody who lists the processes.
    told = os.environ.get("FNHOST_TOKEN", "") if file is None else file.read()
    if not told.isascii() or len(told.split()) > 1:
        raise click.BadParameter("what it holds is no token", context, parameter)
    context.meta[_KEPT] = told.strip() or None


def output_option(command: F) -> F:
    """`-o table|json`; passed on as `output`."""
    forms = click.Choice(["table", "json"])
    option = click.option(
        "-o", "--output", type=forms, default="table", show_default=True, help="Form of stdout."
    )
    return option(command)


@contextmanager
def connected(url: str, refused: Exit = Exit.USAGE) -> Iterator["Client"]:
    """A client of the host at `url`; `refused` is the exit code of refusals that have none of their own."""
    with explained(refused), client_of(url) as client:
        yield client


def client_of(url: str) -> "Client":
    """A new client of the host at `url`, to be closed; raises UrlError."""
    from host.client.client import Client

    context = click.get_current_context()
    return Client(url, context.meta[_KEPT], _origin(context))


def _origin(context: click.Context) -> str:
    """Where `--url` has its value from, for the person who wonders about it."""
    origins = {
        ParameterSource.COMMANDLINE: ", as --url says",
        ParameterSource.ENVIRONMENT: ", as FNHOST_URL says",
        ParameterSource.DEFAULT: ", where it is by default",
    }
    source = context.get_parameter_source("url")
    return origins.get(source, "") if source else ""


@contextmanager
def explained(refused: Exit = Exit.USAGE) -> Iterator[None]:
    """What goes wrong with a request ends the command, in one sentence and with its exit code."""
    from host.client.errors import ClientError, RefusedError, UrlError

    try:
        yield
    except RefusedError as error:
        raise CommandError(_explain(error), _code(error, refused)) from None
    except UrlError as error:
        raise CommandError(str(error), Exit.USAGE) from None
    except ClientError as error:
        raise CommandError(str(error), Exit.UNREACHABLE) from None


def _code(error: "RefusedError", refused: Exit) -> Exit:
    if error.status in BY_STATUS:
        return BY_STATUS[error.status]
    return refused if error.status < 500 else Exit.FAILED


def _explain(error: "RefusedError") -> str:
    """The host's sentence, then the function's own stack where there is one."""
    stack = error.problem.get("stackTrace") or []
    lines = [str(error), *(str(line).rstrip("\n") for line in stack)]
    if error.status == 401:
        lines.append("name a token with --token-file or FNHOST_TOKEN")
    if request := error.problem.get("requestId"):
        lines.append(f"request id: {request}")
    return "\n".join(printable(line) for line in lines)
