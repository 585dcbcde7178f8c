"""`fnhost logs`: what a function printed and logged."""

import json
from datetime import datetime
from typing import Any

import click

from host.cli.names import complete_function
from host.cli.options import connected, output_option, url_option
from host.cli.output import clock, printable

LEVELS = ("debug", "info", "warning", "error", "critical")


def _since(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    from conf.units import parse_duration

    if text is None:
        return None
    try:
        parse_duration(text)
    except ValueError:
        pass  # a time, or nothing that could be read
    else:
        return text
    try:
        # The host may live in another zone.
        return datetime.fromisoformat(text).astimezone().isoformat()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{text!r} is neither a duration (10m) nor a time (2026-01-31T08:00)"
        ) from None


@click.command()
@click.argument("name", metavar="NAME[@REVISION]", shell_complete=complete_function)
@click.option("-f", "--follow", is_flag=True, help="Go on with new lines until Ctrl-C.")
@click.option("--tail", type=click.IntRange(min=0), default=100, show_default=True, help="Last lines.")
@click.option("--since", metavar="10m|TIME", callback=_since, help="Nothing older.")
@click.option("--grep", metavar="REGEX", help="Only what has this in its text or fields.")
@click.option("--invocation", metavar="ID", help="Only of this invocation; the first characters do.")
@click.option("--level", type=click.Choice(LEVELS), help="Nothing less.")
@output_option
@url_option
def logs(name: str, url: str, output: str, **wanted: Any) -> None:
    """Show the log of the function NAME. `-o json` prints one object per line."""
    name, revision = _split(name)
    query = {"tail": wanted["tail"], "follow": int(wanted["follow"]), "revision": revision}
    query |= {each: wanted[each] for each in ("since", "grep", "invocation", "level")}
    try:
        with connected(url) as client:
            for line in client.logs(name, {key: value for key, value in query.items() if value is not None}):
                click.echo(json.dumps(line, ensure_ascii=False) if output == "json" else _text(line))
    except KeyboardInterrupt:
        return  # the way to end --follow


def _split(target: str) -> tuple[str, int | None]:
    name, at, revision = target.partition("@")
    if at and not (revision.isdecimal() and revision.isascii()):
        raise click.BadParameter(f"{revision!r} is not the number of a revision, as in industry@3")
    return name, int(revision) if at else None


def _text(line: dict[str, Any]) -> str:
    text = printable(str(line.get("line", "")))
    if line.get("more"):
        return f"    {text}"
    when = clock(line["time"]) if "time" in line else "-"
    level, revision, invocation = (str(line.get(key) or "-") for key in ("level", "revision", "id"))
    fields = "".join(f" {name}={value!r}" for name, value in (line.get("fields") or {}).items())
    return f"{when} {level:<7} {revision} {invocation[:8]:<8} {text}{printable(fields)}"
