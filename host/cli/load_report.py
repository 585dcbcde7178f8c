"""What a load has found, as a table with a sentence below it, or as JSON."""

from dataclasses import asdict, dataclass

import click

from host.cli.output import print_json, print_table, printable
from host.load.run import Findings
from host.load.search import Judged, knee_of
from host.load.verdict import tell_errors, tell_time, verdict

COLUMNS = ("rate", "answers", "p50", "p99", "max", "errors", "backlog", "inst.", "held")  # fits 80 columns


@dataclass(frozen=True)
class Asked:
    """Which function got the load, on which way, for how many seconds at each rate."""

    name: str
    way: str
    seconds: float


def print_findings(findings: Findings, asked: Asked, output: str) -> None:
    """Prints them as `output` (table, json) says; the note, which is about the load itself, on stderr."""
    if output == "json":
        print_json(_document(findings, asked))
        return
    if findings.steps:
        print_table(COLUMNS, [_row(each) for each in findings.steps])
        click.echo()
    click.echo(printable(verdict(asked.name, findings, asked.seconds)))
    if findings.note:
        click.echo(f"note: {findings.note}", err=True)


def _row(judged: Judged) -> list[object]:
    step = judged.step
    times = (tell_time(each) for each in (step.p50, step.p99, step.max))
    held = judged.trouble or "yes"
    errors = tell_errors(step.errors) or None
    return [f"{step.offered:g}", f"{step.answered:.4g}", *times, errors, step.backlog, step.instances, held]


def _document(findings: Findings, asked: Asked) -> dict[str, object]:
    """Rates in events/s, times in seconds."""
    return {
        "function": asked.name,
        "to": asked.way,
        "seconds": asked.seconds,
        "limit_p99": findings.limit,
        "alone_p50": findings.alone,
        "knee": knee_of(findings.steps)[0],
        "steps": [
            {**asdict(each.step), "held": each.held, "trouble": each.trouble} for each in findings.steps
        ],
        "note": findings.note or None,
        "verdict": verdict(asked.name, findings, asked.seconds),
    }
