"""`fnhost dlq`: dead letters, for the person who looks why there are any."""

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from host.cli.exits import CommandError, Exit
from host.cli.options import connected, explained, output_option, url_option
from host.cli.output import clock, print_json, print_table, printable, shown, zoned_clock
from host.cli.waiting import waiting

COLUMNS = ("seq", "kind", "died", "rule", "function", "attempts", "size", "error")
FACTS = ("seq", "kind", "rule", "function", "lane", "key", "event_id", "attempts", "size")
HIDDEN = ("received", "properties")
"""Of the head: what is shown as a date, and what is packed as MQTT 5 sends it."""

Answer = dict[str, Any]


@click.group()
def dlq() -> None:
    """Look at events that failed for good (dead letters), replay them, drop them."""


def choice_options(command: Any) -> Any:
    """`--function` and `--rule`; passed on under these names."""
    function = click.option("--function", metavar="NAME", help="Those of this function.")
    rule = click.option("--rule", metavar="NAME", help="Those of this rule.")
    return function(rule(command))


def which_options(command: Any) -> Any:
    """SEQ…, or a choice, or `--all`; passed on as `seqs`, `function`, `rule` and `everything`."""
    seqs = click.argument("seqs", metavar="[SEQ]...", nargs=-1, type=click.IntRange(1))
    everything = click.option("--all", "everything", is_flag=True, help="All there are.")
    return seqs(everything(choice_options(command)))


@dlq.command("list")
@choice_options
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The newest so many."
)
@click.option("--before", type=click.IntRange(1), metavar="SEQ", help="Those that are older than this one.")
@output_option
@url_option
def list_letters(url: str, output: str, **asked: Any) -> None:
    """List the dead letters, newest first."""
    with connected(url) as client:
        answer = client.dead_letters(asked)
    letters = answer.get("dead_letters", [])
    if output == "json":
        print_json(letters)
    elif letters:
        print_table(COLUMNS, [_row(letter) for letter in letters], cut="error")
    else:
        click.echo("no dead letter", err=True)


@dlq.command()
@click.argument("seq", type=click.IntRange(1))
@output_option
@url_option
def show(seq: int, url: str, output: str) -> None:
    """Show the dead letter SEQ: why it died, where, and what is in it."""
    with connected(url) as client:
        letter = client.dead_letter(seq)
    if output == "json":
        print_json(letter)
    else:
        _print(letter)


@dlq.command()
@which_options
@output_option
@url_option
def replay(seqs: tuple[int, ...], url: str, output: str, **choice: Any) -> None:
    """Try the dead letters SEQ again, or those of a function or rule, or all; the oldest comes first.

    The event keeps its id, and its attempts are counted on: if it fails once more, it is a dead letter again.
    """
    query = _query(seqs, choice)
    with connected(url) as client, waiting("replaying dead letters") as tell:
        if seqs:
            answers, failures = _each(seqs, client.replay_letter, tell)
        else:
            answers, failures = [client.replay_letters(query)], []
    stranded = {lane: count for answer in answers for lane, count in answer.get("stranded", {}).items()}
    replayed = sum(answer.get("replayed", 0) for answer in answers)
    if output == "json":
        print_json({"replayed": replayed, "stranded": stranded})
    else:
        click.echo(f"{replayed} replayed")
    _end_with(failures)
    if stranded:
        lanes = ", ".join(f"{count} of {printable(lane)}" for lane, count in stranded.items())
        raise CommandError(f"not replayed: {lanes}; nothing in the config works them any more", Exit.USAGE)


@dlq.command()
@which_options
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@output_option
@url_option
def drop(seqs: tuple[int, ...], yes: bool, url: str, output: str, **choice: Any) -> None:
    """Throw away the dead letters SEQ, or those of a function or rule, or all."""
    query = _query(seqs, choice)
    if not yes:
        _ask(seqs, query)
    with connected(url) as client, waiting("dropping dead letters") as tell:
        if seqs:
            answers, failures = _each(seqs, client.drop_letter, tell)
        else:
            answers, failures = [client.drop_letters(query)], []
    dropped = sum(answer.get("dropped", 0) for answer in answers)
    if output == "json":
        print_json({"dropped": dropped})
    else:
        click.echo(f"{dropped} dropped")
    _end_with(failures)


def _each(
    seqs: tuple[int, ...], ask: Callable[[int], Answer], tell: Callable[[str], None]
) -> tuple[list[Answer], list[CommandError]]:
    """Ask the host for each of them, whatever it said of those before, as long as it is there."""
    answers: list[Answer] = []
    failures: list[CommandError] = []
    for place, seq in enumerate(seqs):
        tell(f"{place} of {len(seqs)} dead letters are done")
        try:
            with explained():
                answers.append(ask(seq))
        except CommandError as error:
            gone = error.exit_code == Exit.UNREACHABLE
            which = ", ".join(map(str, seqs[place:])) if gone else seq
            failures.append(CommandError(f"{which}: {error.message}", Exit(error.exit_code)))
            if gone:
                break
    return answers, failures


def _end_with(failures: list[CommandError]) -> None:
    """A line for each, and the exit code of the first."""
    if failures:
        lines = "\nError: ".join(error.message for error in failures)
        raise CommandError(lines, Exit(failures[0].exit_code))


def _query(seqs: tuple[int, ...], choice: dict[str, Any]) -> dict[str, str]:
    """What the host is asked for where no SEQ is given."""
    named = {name: choice[name] for name in ("function", "rule") if choice[name] is not None}
    if sum((bool(seqs), bool(named), choice["everything"])) != 1:
        raise CommandError("say which: numbers, or --function and --rule, or --all", Exit.USAGE)
    return named or {"all": "1"}


def _ask(seqs: tuple[int, ...], query: dict[str, str]) -> None:
    if not sys.stdin.isatty():
        raise CommandError("nobody is there to ask whether they may go; add --yes", Exit.USAGE)
    which = ", ".join(map(str, seqs)) or ", ".join(f"{name} {value}" for name, value in query.items())
    click.confirm(f"Throw away dead letters ({which.replace('all 1', 'all')})?", abort=True, err=True)


def _row(letter: dict[str, Any]) -> list[object]:
    told = (letter.get(name) for name in ("rule", "function", "attempts", "size"))
    return [letter.get("seq"), letter.get("kind"), clock(letter.get("died", 0)), *told, _error(letter)]


def _error(letter: dict[str, Any]) -> str:
    return f"{letter.get('error_type')}: {letter.get('message')}"


def _facts(letter: dict[str, Any]) -> dict[str, object]:
    head = letter.get("head", {})
    times = {"received": head.get("received"), "first try": letter.get("first"), "died": letter.get("died")}
    return {
        **{name.replace("_", " "): letter.get(name) for name in FACTS},
        **{name: zoned_clock(time) for name, time in times.items() if isinstance(time, int | float)},
        **{name: head[name] for name in sorted(head) if name not in HIDDEN},
        "error": _error(letter),
    }


def _print(letter: dict[str, Any]) -> None:
    for name, value in _facts(letter).items():
        if value not in (None, "", {}, []):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            click.echo(f"{name + ':':<12} {shown(text)}")
    for line in letter.get("stack", ()):
        click.echo(printable(str(line).rstrip("\n")))
    click.echo(f"\n{printable(str(letter.get('body')))}")
    if letter.get("body_encoding") != "text" or letter.get("body_cut"):
        cut = ", its beginning only" if letter.get("body_cut") else ""
        click.echo(f"(body as {letter.get('body_encoding')}{cut})", err=True)
