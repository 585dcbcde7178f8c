"""Devices as the API and the console show them."""

import math
from typing import Any

from host.observing.devices.device import Device, Line
from host.observing.devices.series import Field, Series
from host.observing.records.record import Body
from host.observing.records.redaction import Paths
from host.observing.records.sealing import seal_body

View = dict[str, Any]
NEVER = "never"
ONLINE, OFFLINE = "online", "offline"
LONGEST_BRIEF = 120


def describe(device: Device, now: float, hidden: Paths) -> View:
    """A row of the list; `hidden` are the paths that are to be redacted."""
    line = device.newest
    return {
        "name": device.name,
        "state": ONLINE if device.is_online(now) else OFFLINE,
        "first": device.first,
        "seen": device.seen,
        "since": device.since,
        "count": device.count,
        "rate": round(device.rate(now), 6),
        "interval": device.interval,
        "functions": sorted(device.lines),
        "rule": line.rule if line else "",
        "result": line.result if line else "",
        "value": brief_of(line, hidden) if line else "",
    }


def describe_unseen(name: str, functions: list[str]) -> View:
    """A row of one that the config names, and that nobody has heard of."""
    nothing = dict.fromkeys(("first", "seen", "since", "interval"))
    told = {"count": 0, "rate": 0.0, "rule": "", "result": "", "value": ""}
    return {"name": name, "state": NEVER, **nothing, **told, "functions": sorted(functions)}


def show(device: Device, now: float, hidden: Paths) -> View:
    """All that is known of one but its plot."""
    lines = [show_line(each, hidden) for each in device.lines.values()]
    past = [{"begin": begin, "end": end} for begin, end in device.past]
    newest = device.newest.function if device.newest else None
    return {**describe(device, now, hidden), "lines": lines, "newest": newest, "past": past}


def show_line(line: Line, hidden: Paths) -> View:
    """What a function made of its last event."""
    error = None if line.error is None else {"type": line.error[0], "message": line.error[1]}
    names = ("function", "rule", "count", "seen", "interval", "result", "event_id")
    told = {name: getattr(line, name) for name in names}
    return {**told, "error": error, **seal_line(line, hidden)}


def seal_line(line: Line, hidden: Paths) -> View:
    """What went in and came out, redacted and masked."""
    spec = line.spec
    if spec is None:
        return line.sealed or {"input": None, "output": None}
    bodies = {"input": line.input, "output": line.output}
    return {name: kept and seal_body(Body(*kept), hidden, spec) for name, kept in bodies.items()}


def brief_of(line: Line, hidden: Paths) -> str:
    """The beginning of what the device said last."""
    shown = seal_line(line, hidden)["input"]
    text = shown["body"] or "" if shown else ""
    return " ".join(str(text)[: 2 * LONGEST_BRIEF].split())[:LONGEST_BRIEF]


def show_series(series: Series, since: float = 0.0) -> View:
    """The plot's columns after a moment, null where there is no number."""
    place = series.since(since)
    fields = [{"of": field.of, "path": field.path} for field in series.columns]
    columns = [[_number(each) for each in column[place:]] for column in series.columns.values()]
    return {"fields": fields, "times": list(series.times[place:]), "columns": columns}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def field_of(told: View) -> Field:
    """As `show_series` has told it."""
    return Field(str(told["of"]), str(told["path"]))
