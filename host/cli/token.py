"""`fnhost token`: who may do what with a host."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import connected, output_option, url_option
from host.cli.output import clock, print_json, print_table

if TYPE_CHECKING:
    from host.access.keeper import Keeper
    from host.client.client import Client

COLUMNS = ("id", "name", "scopes", "created", "expires", "last used", "state")


def state_option(command: Any) -> Any:
    """`--state`; passed on as `state`."""
    return click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        help="Work on this state folder, while no host does.",
    )(command)


@click.group()
def token() -> None:
    """Make tokens, look who has one, revoke them."""


@token.command()
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="invoke:NAME, deploy:NAME (* stands for any), read or admin; may be given again.",
)
@click.option("--expires", metavar="DURATION", help="Such as 30d.  [default: never]")
@click.option("--name", default="", help="What reminds you whose it is.")
@state_option
@output_option
@url_option
def create(scopes: tuple[str, ...], expires: str | None, name: str, state: Path | None, **to: str) -> None:
    """Make a token and print it: this once and never again."""
    with _keeper(state, to["url"]) as keeper:
        made = keeper.create_token(scopes, expires, name)
    if to["output"] == "json":
        print_json(made)
        return
    until = f"until {clock(made['expires'])}" if made.get("expires") else "for ever"
    click.echo(f"token {made['id']} ({made['name']}) allows {_scopes(made)} {until}:", err=True)
    click.echo(made["token"])


@token.command("list")
@state_option
@output_option
@url_option
def list_tokens(state: Path | None, url: str, output: str) -> None:
    """List the tokens, without what opens anything."""
    with _keeper(state, url) as keeper:
        tokens = keeper.tokens()
    if output == "json":
        print_json(tokens)
    elif tokens:
        print_table(COLUMNS, [_row(each) for each in tokens])
    else:
        click.echo("no token yet; `fnhost token create` makes one", err=True)


@token.command()
@click.argument("token_id", metavar="ID")
@state_option
@output_option
@url_option
def revoke(token_id: str, state: Path | None, url: str, output: str) -> None:
    """Have the token ID open nothing from now on."""
    with _keeper(state, url) as keeper:
        revoked = keeper.revoke_token(token_id)
    if output == "json":
        print_json(revoked)
    else:
        click.echo(f"token {revoked['id']} ({revoked['name']}) is revoked")


def _keeper(state: Path | None, url: str) -> "AbstractContextManager[Keeper | Client]":
    """The host at `url`, or the folder itself."""
    return connected(url) if state is None else _offline(state)


@contextmanager
def _offline(state: Path) -> "Iterator[Keeper]":
    from host.access.keeper import KeeperError, open_state

    if not state.exists():
        click.echo(f"{state} is made anew: no host has used it yet", err=True)
    try:
        with open_state(state) as keeper:
            yield keeper
    except KeeperError as error:
        raise CommandError(str(error), Exit.USAGE) from None


def _row(told: dict[str, Any]) -> list[object]:
    times = [clock(told[name]) if told[name] else None for name in ("created", "expires", "last_used")]
    return [told["id"], told["name"], _scopes(told), *times, told["state"]]


def _scopes(told: dict[str, Any]) -> str:
    return " ".join(told["scopes"])
