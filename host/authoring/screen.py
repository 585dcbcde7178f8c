"""What `fnhost dev` writes: a line for each event, each answer, each printed line and each fault."""

import shlex
import shutil
import time
from pathlib import Path
from typing import Any

import click

from host.authoring.samples import JSON_TYPE, Sample
from host.cli.output import printable

NO_LINE = 40  # columns that even a narrow terminal is given for what an event holds
LONGEST_BODY = 2048
"""Characters of an event that a line of a terminal still holds."""
COLORS = {"in": "cyan", "out": "green", "fail": "red", "log": None, "note": "yellow"}


def say(text: str) -> None:
    """As it is, at once."""
    click.echo(printable(text))


def show(way: str, text: str) -> None:
    """`12:05:33   in  {"t": 188}`; further lines stand below the first."""
    head = f"{time.strftime('%H:%M:%S')} {way:>4}  "
    first, *others = printable(text).split("\n")
    click.echo(click.style(head, fg=COLORS[way]) + first)
    for line in others:
        click.echo(" " * len(head) + line)


def show_record(record: dict[str, Any]) -> None:
    """An event with its answer or failure, or a line of the log."""
    if record["kind"] == "log":
        show("log", record["line"])
        return
    show("in", _cut(record["event"]))
    times = _times(record)
    if "error" in record:
        stack = "".join(f"\n{str(line).rstrip()}" for line in record.get("stack", []))
        show("fail", f"{record['error']}{times}{stack}")
        return
    answer = "(nothing)" if record["answer"] is None else record["answer"]
    status = record["status"]
    show("out", f"{_cut(answer)}{'' if status in (200, 204) else f'  HTTP {status}'}{times}")


def show_ready(target: str, sample: Sample | None) -> None:
    """Where the function is, and what to try."""
    say(f"Try:  {curl_line(target, sample)}")
    say("Saved files are deployed at once; Ctrl-C ends it.")


def curl_line(target: str, sample: Sample | None) -> str:
    """A command that can be pasted into a shell; a long event is taken from its file."""
    body = "{}" if sample is None else sample.body.decode("utf-8", "replace")
    told = sample.content_type if sample is not None else JSON_TYPE
    kind = [] if told == JSON_TYPE else ["-H", f"content-type: {told}"]
    if sample is None or len(body) <= LONGEST_BODY:
        return shlex.join(["curl", *kind, "-d", body, target])
    file = relative(sample.path.absolute())
    if not sample.is_described:
        return shlex.join(["curl", *kind, "--data-binary", f"@{file}", target])
    event = shlex.join(["jq", "-cj" if told == JSON_TYPE else "-rj", ".event", file])
    return f"{event} | {shlex.join(['curl', *kind, '--data-binary', '@-', target])}"


def relative(path: Path) -> str:
    """As a person would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _times(record: dict[str, Any]) -> str:
    if "seconds" not in record:
        return ""
    queued = f", {_milliseconds(record['queued'])} queued" if record["queued"] >= 0.001 else ""
    return f"  ({_milliseconds(record['seconds'])}{queued})"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _cut(text: str) -> str:
    """One line, as long as the terminal is wide three times over."""
    text = text.replace("\r", "").rstrip("\n").replace("\n", "⏎")
    most = max(NO_LINE, 3 * shutil.get_terminal_size().columns)
    return text if len(text) <= most else f"{text[:most]}…"
