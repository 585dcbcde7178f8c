"""`fnhost debug`: one recorded event under pdb, in its function's own environment."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import connected, url_option
from host.cli.output import printable
from host.private.tidying import tidying_up

if TYPE_CHECKING:
    from host.cli.own_terminal import OwnTerminal
    from runtime.single import SingleEvent, Surroundings

PASSED_ON = ("TERM", "COLUMNS", "LINES", "LANG", "LC_ALL")
GRACE = 1.0
"""Seconds from SIGTERM to SIGKILL: it holds nothing that would need more."""


def _places(
    context: click.Context, option: click.Parameter, texts: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    return tuple(_place(text) for text in texts)


def _place(text: str) -> tuple[str, int]:
    file, _, line = text.rpartition(":")
    if not file or not line.isascii() or not line.isdecimal() or int(line) < 1:
        raise click.BadParameter(f"{text!r} is no place; write FILE:LINE, such as index.py:12")
    return file, int(line)


@click.command()
@click.argument("event_id", metavar="ID")
@click.option(
    "--break",
    "breaks",
    metavar="FILE:LINE",
    multiple=True,
    callback=_places,
    help="Stop at this line of the package; may be given again. Without it: at the function's first line.",
)
@click.option("--post-mortem", is_flag=True, help="Stop nowhere but where the function raised.")
@url_option
@tidying_up()
def debug(event_id: str, breaks: tuple[tuple[str, int], ...], post_mortem: bool, url: str) -> None:
    """Run the very event of the invocation ID under pdb, in its function's own environment.

    It runs on the machine of the host, as the user of the function where this is root, and else as you, who
    must be the host's user; outside of the function's box, with a folder of its own to write to. What it
    publishes is shown and not sent. A secret of the function is what the variable of that name says here.
    """
    if breaks and post_mortem:
        raise CommandError(
            "--break stops before a failure, --post-mortem after it: say one of them", Exit.USAGE
        )
    from host.cli.own_terminal import own_terminal
    from host.client.records import RecordsClient
    from runtime.single import Wish, debug_single

    with connected(url) as client:
        records = RecordsClient(client)
        record = records.attempts(event_id)[-1]
        told = records.setup(record["function"], record["revision"])
    event = _event(record)
    output = Path(tempfile.mkdtemp(prefix="fnhost-debug-"))
    try:
        around = _surroundings(told, output)
        _say_what_it_is(record, around)
        with own_terminal() as terminal:
            wish = Wish(breaks, post_mortem, terminal.given)
            code = _attend(debug_single(event, around, wish), terminal)
    except OSError as error:
        raise CommandError(_not_here(told, error), Exit.USAGE) from None
    finally:
        _tidy(output)
    sys.exit(code)


def _event(record: dict[str, Any]) -> "SingleEvent":
    from host.observing.records.redaction import without_blots
    from host.observing.records.sealing import decode
    from runtime.single import SingleEvent

    if why := record["not_again"]:
        raise CommandError(f"{record['id']} cannot be debugged: {printable(why)}", Exit.USAGE)
    kind, received = record["input"]["content_type"], record["stages"]["received"]
    return SingleEvent(record["id"], decode(record["input"]), kind, without_blots(record["meta"]), received)


def _surroundings(told: dict[str, Any], output: Path) -> "Surroundings":
    from runtime.single import Surroundings

    setup, user = told["setup"], told["user"] if os.geteuid() == 0 else None
    for each in (told["program"], told["worker"], setup["package_dir"]):
        os.stat(each)
    if user is not None:
        os.chown(output, user, user)
    secrets = {name: os.environ[name] for name in setup["secrets"] if name in os.environ}
    if missing := [name for name in setup["secrets"] if name not in secrets]:
        click.echo(
            f"Warning: the host tells nobody its secrets; without {', '.join(missing)} in the environment of "
            "this command, the function has none of that name",
            err=True,
        )
    here = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment = {**told["environment"], **here, "HOME": str(output), "TMPDIR": str(output)}
    given = {**setup, "output_dir": str(output), "secrets": secrets}
    return Surroundings(Path(told["program"]), Path(told["worker"]), given, environment, user)


def _say_what_it_is(record: dict[str, Any], around: "Surroundings") -> None:
    whose = "root" if os.geteuid() == 0 else "you"
    user = f"the user {around.user}" if around.user is not None else whose
    label = f"{record['function']}@{record['revision']}"
    click.echo(f"{label} runs as {user}, outside of its box; `q` ends it, `h` tells what there is", err=True)
    if around.user is None and whose == "root":
        click.echo("Warning: the package's code may do all that root may", err=True)


def _attend(process: "subprocess.Popen[bytes]", terminal: "OwnTerminal") -> int:
    """Wait for its end; Ctrl-C is pdb's."""
    try:
        return terminal.attend(process)
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Of a command that is told to end while its process goes on."""
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _not_here(told: dict[str, Any], error: OSError) -> str:
    return (
        f"the function's files cannot be used here ({error.filename or told['program']}: {error.strerror}); "
        "call `fnhost debug` on the machine of the host, as the host's user or as root"
    )


def _tidy(output: Path) -> None:
    left = sorted(str(each.relative_to(output)) for each in output.rglob("*") if each.is_file())
    if left:
        named = ", ".join(printable(name) for name in left[:10])
        click.echo(f"what it wrote to its output folder is gone with that: {named}", err=True)
    shutil.rmtree(output, ignore_errors=True)
