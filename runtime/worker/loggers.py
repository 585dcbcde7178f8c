"""What the package says through the logging module, and `context.logger`, with their fields."""

import logging
from collections.abc import MutableMapping
from typing import Any

from .fields import encode_fields
from .logs import MORE, LogPipe, Mark

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; what else it has was said by `extra=`."""
FIELDS = "fnhost_fields"
"""Carries the fields of `info_with`, which may have any name, past the names that `extra=` refuses."""


class LogHandler(logging.Handler):
    """Takes what the package says through the logging module."""

    def __init__(self, pipe: LogPipe) -> None:
        super().__init__()
        # Level, time and invocation travel beside the text; basicConfig would put the level into it again.
        self.setFormatter(logging.Formatter("%(message)s"))
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """One record, its traceback as further lines."""
        fields = ""
        try:
            text = self.format(record)
            fields = encode_fields(fields_of(record), self._pipe.mask)
        except Exception as error:  # noqa: BLE001 - the arguments are the package's, and may not fit the text
            where = f"{record.filename}:{record.lineno}"
            text = f"(the log record of {where} cannot be formatted: {type(error).__name__})"
        mark = Mark(fields)
        for line in text.split("\n"):
            self._pipe.write_line(record.levelname.lower(), line, mark=mark)
            mark = MORE


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a record was told by `extra=`, or by `info_with` and the like."""
    said = vars(record)
    return {name: said[name] for name in said if name not in STANDARD and name != FIELDS} | said.get(
        FIELDS, {}
    )


class FunctionLogger(logging.LoggerAdapter[logging.Logger]):
    """`context.logger`: a logger that also takes fields, `logger.info_with("drift", sensor=3)`."""

    def process(self, msg: object, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Leave `extra=` as it is, which the adapter of older Pythons would overwrite."""
        return msg, kwargs

    def debug_with(self, message: object, /, **fields: Any) -> None:
        """Log at DEBUG, with these fields."""
        self.debug("%s", message, extra={FIELDS: fields})

    def info_with(self, message: object, /, **fields: Any) -> None:
        """Log at INFO, with these fields."""
        self.info("%s", message, extra={FIELDS: fields})

    def warn_with(self, message: object, /, **fields: Any) -> None:
        """Log at WARNING, with these fields."""
        self.warning("%s", message, extra={FIELDS: fields})

    def error_with(self, message: object, /, **fields: Any) -> None:
        """Log at ERROR, with these fields."""
        self.error("%s", message, extra={FIELDS: fields})

    warning_with = warn_with
