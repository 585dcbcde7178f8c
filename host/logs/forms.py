"""How a record of the host's own log looks: one JSON object on a line, or lines for people."""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from host.cli.output import printable

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; all else was said by `extra=` and is a field."""
LONGEST = 16 * 1024
"""Characters of a message, and of a traceback, of which the end is kept."""
UNPRINTED = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What JSON leaves as it is, and a terminal obeys, turns the text about or takes for the end of a line."""
COLOURS = {
    logging.DEBUG: "\x1b[2m",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}
PLAIN = "\x1b[0m"
INDENT = "\n    "

Mask = Callable[[str], str]


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What was said by `extra=`; None says nothing."""
    return {name: value for name, value in vars(record).items() if name not in STANDARD and value is not None}


class Form(logging.Formatter):
    """`mask` blots secrets out of what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.mask: Mask = str

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback of a record, its end if it is long; empty without one."""
        return self.formatException(record.exc_info)[-LONGEST:] if record.exc_info else ""


class JsonForm(Form):
    """Time in ISO 8601 (UTC, milliseconds), level, logger, message, then the fields by their names.

    What was raised is `error`, its type, and `traceback`, one string.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The object, without an end of line."""
        told = {
            "time": _utc(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:LONGEST],
        }
        told = {**fields_of(record), **told}
        if record.exc_info and record.exc_info[0]:
            told = {"error": record.exc_info[0].__name__, **told, "traceback": self.trace(record)}
        first = ("time", "level", "logger", "message")
        ordered = {name: told[name] for name in first} | told
        text = self.mask(_dump(ordered))
        return UNPRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class TextForm(Form):
    """Local time, level and message; further lines of it are indented."""

    def __init__(self, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """The lines, without the last one's end."""
        level = f"{record.levelname:<7}"
        if self._colour and (colour := COLOURS.get(record.levelno)):
            level = f"{colour}{level}{PLAIN}"
        text = record.getMessage()[:LONGEST]
        if trace := self.trace(record):
            text += f"\n{trace}"
        shown = INDENT.join(printable(self.mask(text)).splitlines())
        return f"{self.formatTime(record)} {level} {shown}"


def _dump(told: dict[str, Any]) -> str:
    """A line of strict JSON whatever the fields are: what JSON cannot say is said as text."""
    try:
        return json.dumps(told, ensure_ascii=False, default=str, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return json.dumps({name: _sayable(value) for name, value in told.items()}, ensure_ascii=False)


def _sayable(value: object) -> object:
    try:
        json.dumps(value, allow_nan=False)
        return value
    except (TypeError, ValueError, RecursionError):
        return repr(value)[:LONGEST]


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
