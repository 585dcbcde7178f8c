"""`fnhost audit`: who changed what."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import connected, output_option, url_option
from host.cli.output import print_json, print_table, printable
from host.cli.waiting import waiting

COLUMNS = ("n", "when", "who", "from", "action", "target", "revision", "outcome")


@click.command()
@click.option("--verify", is_flag=True, help="Check that no line was changed or left out in between.")
@click.option("--tail", type=click.IntRange(1, 2000), default=100, show_default=True, help="Last records.")
@click.option(
    "--state",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read the files in this state folder, without asking a host.",
)
@output_option
@url_option
def audit(verify: bool, tail: int, state: Path | None, url: str, output: str) -> None:
    """Show who changed what, and who was turned away."""
    if verify:
        with waiting("reading the audit log"):
            chain = _read_chain(state, url)
        _verify(chain, output)
        return
    records = _read_records(state, url, tail)
    if output == "json":
        print_json(records)
    elif records:
        print_table(COLUMNS, [_row(each) for each in records], cut="target")
    else:
        click.echo("nothing is recorded yet", err=True)


def _read_records(state: Path | None, url: str, tail: int) -> list[dict[str, Any]]:
    if state is None:
        with connected(url) as client:
            return client.audit(tail)
    from host.access.audit import newest_records

    try:
        return newest_records(state, tail)
    except OSError as error:
        raise _unreadable(state, error) from None


def _read_chain(state: Path | None, url: str) -> dict[str, Any]:
    if state is None:
        with connected(url) as client:
            return client.audit_chain()
    from host.access.audit_chain import read_chain

    try:
        return asdict(read_chain(state))
    except OSError as error:
        raise _unreadable(state, error) from None


def _unreadable(state: Path, error: OSError) -> CommandError:
    remedy = "run this as the user of its host, or name another folder with --state"
    return CommandError(f"the audit log in {state} cannot be read ({error.strerror}); {remedy}", Exit.USAGE)


def _verify(chain: dict[str, Any], output: str) -> None:
    if output == "json":
        print_json(chain)
    for fault in chain["faults"]:
        click.echo(printable(str(fault)), err=True)
    if chain["faults"]:
        raise CommandError(
            "the audit log is not as it was written; keep its files, and see docs/security.md", Exit.FAILED
        )
    if output != "json":
        click.echo(f"{chain['records']} records from number {chain['first']} on are whole; the newest one's")
        click.echo(f"hash, to be noted elsewhere: {chain['head']}")


def _row(record: dict[str, Any]) -> list[object]:
    when = datetime.fromtimestamp(record["ts"]).astimezone().isoformat(" ", "seconds")
    shown = ("actor", "peer", "action", "target", "revision", "outcome")
    return [record.get("n"), when, *(record.get(name) for name in shown)]
