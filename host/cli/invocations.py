"""`fnhost invocations`: which events failed, a sample of the rest, and the way of one."""

import json
import time
from itertools import pairwise
from typing import Any

import click

from host.cli.options import connected, output_option, url_option
from host.cli.output import clock, print_json, print_table, printable, shown, zoned_clock

COLUMNS = ("id", "ended", "function", "trigger", "result", "attempt", "queued", "ran", "error")
FACTS = ("function", "trigger", "source", "caller", "device", "pid", "status")
SHOWN = 2000
"""Characters of an input or output; `-o json` has all that is kept."""
WIDTH = 40
NONE_KEPT = (
    "no invocation is kept that is so: those that fail are, for a while, and of the rest a share only,"
    " `records.sample` in the config (0.01 unless it says otherwise)"
)

Record = dict[str, Any]


def _seconds(context: click.Context, option: click.Parameter, text: str | None) -> float | None:
    from conf.units import parse_duration

    try:
        return None if text is None else time.time() - parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("event_id", metavar="[ID]", required=False)
@click.option("--failed", is_flag=True, help="Those that failed.")
@click.option("--function", metavar="NAME", help="Those of this function.")
@click.option("--since", metavar="DURATION", callback=_seconds, help="Those of the last 10m or 6h.")
@click.option("--result", metavar="RESULT", help="Those that ended so: raised, timeout, died, ok, …")
@click.option("--trigger", metavar="KIND", help="Those that came by http, mqtt or timer.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The newest so many."
)
@click.option("--before", type=click.IntRange(1), metavar="NUMBER", help="Those older than this record.")
@output_option
@url_option
def invocations(event_id: str | None, failed: bool, url: str, output: str, **asked: Any) -> None:
    """List invocations that failed, and a sample of the rest; or show the way of one, ID.

    Which are kept, how long, and what of their inputs, is said under `records:` in the config.
    """
    from host.client.records import RecordsClient

    with connected(url) as client:
        if event_id is not None:
            attempts = RecordsClient(client).attempts(event_id)
            _show(attempts, output)
            return
        answer = RecordsClient(client).page({**asked, "failed": 1 if failed else None})
    records = answer.get("records", [])
    if output == "json":
        print_json(answer)
    elif records:
        print_table(COLUMNS, [_row(each) for each in records], cut="error")
    else:
        click.echo(NONE_KEPT, err=True)
    if output != "json" and answer.get("trouble"):
        click.echo(f"Warning: {printable(answer['trouble'])}", err=True)


def _row(record: Record) -> list[object]:
    stages = record["stages"]
    return [
        record["id"],
        clock(stages["ended"]),
        f"{record['function']}@{record['revision']}",
        record["trigger"],
        record["result"],
        record["attempt"],
        told_seconds(stages.get("started", stages["ended"]) - stages["queued"]),
        told_seconds(record["seconds"]),
        told_error(record),
    ]


def told_error(record: Record) -> str | None:
    """What went wrong, in one line."""
    error = record.get("error")
    return f"{error['type']}: {error['message']}" if error else None


def told_seconds(seconds: float) -> str:
    """`1.234 s` or `12.3 ms`."""
    return f"{seconds:.3f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


def _show(attempts: list[Record], output: str) -> None:
    if output == "json":
        print_json(attempts)
        return
    for place, record in enumerate(attempts):
        if place:
            click.echo()
        _print(record)
    last = attempts[-1]
    if why := last.get("not_again"):
        click.echo(f"\nit cannot be replayed or debugged: {printable(why)}", err=True)
    else:
        click.echo(f"\nfnhost replay {last['id']}   runs it again; `fnhost debug` steps through it", err=True)


def _print(record: Record) -> None:
    facts = {name: record.get(name) for name in FACTS}
    facts["function"] = f"{record['function']}@{record['revision']} ({str(record['digest'])[:12]})"
    head = {"id": record["id"], "attempt": record["attempt"], "result": record["result"]}
    for name, value in {**head, **facts}.items():
        if value not in (None, ""):
            click.echo(f"{name + ':':<10} {shown(value)}")
    click.echo()
    for line in draw_waterfall(record["stages"]):
        click.echo(line)
    _print_body("input", record["input"])
    _print_body("output", record["output"])
    for each in record.get("publications", ()):
        click.echo(f"published: {each['size']} bytes to {shown(each['topic'])}")
    _print_error(record.get("error"))


def draw_waterfall(stages: dict[str, float]) -> list[str]:
    """A line for each step between two stages: when it began, how long it took, and a bar in its place."""
    steps = sorted(stages.items(), key=lambda stage: stage[1])
    (_, first), (_, last) = steps[0], steps[-1]
    whole = max(last - first, 1e-9)
    lines = [f"received   {zoned_clock(first)}"]
    for (_, began), (name, ended) in pairwise(steps):
        start = round((began - first) / whole * WIDTH)
        length = max(1, round((ended - first) / whole * WIDTH) - start)
        bar = " " * min(start, WIDTH - 1) + "█" * length
        lines.append(f"{name:<12} {bar:<{WIDTH}} +{told_seconds(ended - began)}")
    return [*lines, f"{'':<12} {'':<{WIDTH}}  {told_seconds(whole)} in all"]


def _print_body(name: str, body: dict[str, Any]) -> None:
    kind = body.get("content_type") or "no content type"
    if body["lost"]:
        click.echo(f"\n{name} ({kind}) is not kept: {printable(body['lost'])}")
    elif body["body"] is not None:
        text = body["body"][:SHOWN]
        more = [f"{body['size']} bytes", shown(kind)]
        more += [body["encoding"]] if body["encoding"] != "text" else []
        more += ["its beginning"] if body["cut"] or len(text) < len(body["body"]) else []
        more += ["redacted"] if body["redacted"] else []
        click.echo(f"\n{name} ({', '.join(more)}):\n{printable(_indented(text))}")


def _indented(text: str) -> str:
    """JSON that is short as people read it; anything else as it is."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _print_error(error: dict[str, Any] | None) -> None:
    if error is None:
        return
    click.echo()
    for line in error.get("stack") or [f"{error['type']}: {error['message']}"]:
        click.echo(printable(str(line).rstrip("\n")))
