"""A device as it is written, and read back in the next life of the host."""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any

from host.observing.devices.device import MOST_SPANS, Device, Line
from host.observing.devices.devices import Keeping
from host.observing.devices.views import seal_line
from host.observing.records.redaction import Paths

NUMBERS = ("count", "seen", "interval")
TEXTS = ("function", "rule", "result", "event_id")


@dataclass(frozen=True)
class Stored:
    """One row: what is told of a device, as JSON."""

    name: str
    seen: float
    told: bytes


def store_device(device: Device, keeping: Keeping) -> Stored:
    """All of it but its plot; bodies are redacted and masked, and by which rules is written with them."""
    told = {
        "keeping": keeping.digest,
        "first": device.first,
        "since": device.since,
        "past": list(device.past),
        "newest": device.newest.function if device.newest else "",
        "lines": [_store_line(each, keeping.hidden) for each in device.lines.values()],
    }
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return Stored(device.name, device.seen, text.encode("utf-8", "replace"))


def _store_line(line: Line, hidden: Paths) -> dict[str, Any]:
    told = {name: getattr(line, name) for name in (*TEXTS, *NUMBERS, "error")}
    return {**told, "sealed": seal_line(line, hidden)}


def restore_device(stored: Stored, keeping: Keeping) -> Device:
    """The device that was written; raises ValueError, TypeError or KeyError for what is none.

    Bodies that were kept by other rules are left out: these might not have let them be kept.
    """
    told = json.loads(stored.told)
    lines = {each["function"]: _restore_line(each) for each in told["lines"]}
    fits = told.get("keeping") == keeping.digest
    if not fits:
        for line in lines.values():
            line.sealed = {}
    past = deque(((float(begin), float(end)) for begin, end in told["past"]), maxlen=MOST_SPANS)
    return Device(
        *(stored.name, float(told["first"]), stored.seen, float(told["since"])),
        past=past,
        lines=lines,
        newest=lines.get(told["newest"]),
        is_stored=fits,
    )


def _restore_line(told: dict[str, Any]) -> Line:
    interval, error = told["interval"], told["error"]
    return Line(
        *(str(told["function"]), str(told["rule"]), int(told["count"]), float(told["seen"])),
        interval=None if interval is None else float(interval),
        result=str(told["result"]),
        event_id=str(told["event_id"]),
        error=None if error is None else (str(error[0]), str(error[1])),
        sealed=dict(told["sealed"]),
    )
