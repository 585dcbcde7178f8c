"""Sends what a function prints or logs to the host, line by line with the invocation's id, and bounded.

A line on the pipe is `RS level US id US pid US text LF`; anything else on it came from below Python (a C
library, the interpreter's own crash report). A piece stays below PIPE_BUF, so instances that share the pipe
never mix within one (pipe(7)).
"""

import io
import logging
import os
from contextvars import ContextVar
from typing import Any

RECORD, UNIT = "\x1e", "\x1f"
PIECE = 3000
MAX_PER_INVOCATION = 1024 * 1024


class LogPipe:
    """The instance's end of the log; counts bytes per invocation and drops what is over the bound."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._ids: ContextVar[str] = ContextVar("invocation", default="")
        self._last = ""
        self._kept = 0
        self._dropped = 0

    def begin(self, invocation: str) -> None:
        """What is written from now on belongs to this invocation."""
        self._ids.set(invocation)
        self._last = invocation
        self._kept = 0

    def end(self) -> None:
        """Say how much was dropped, if anything was."""
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._send("warning", f"{dropped} bytes more were printed by this invocation and not kept")
        self._ids.set("")
        self._last = ""

    def write_line(self, level: str, text: str) -> None:
        """Keep one line, cut into pieces where it is long."""
        for start in range(0, len(text) or 1, PIECE // 4):
            piece = text[start : start + PIECE // 4]
            if self._kept > MAX_PER_INVOCATION:
                self._dropped += len(piece)
                continue
            self._kept += len(piece) + 1
            self._send(level, piece)

    def _send(self, level: str, text: str) -> None:
        invocation = self._ids.get() or self._last
        clean = text.replace(RECORD, " ").replace("\r", "")
        line = f"{RECORD}{level}{UNIT}{invocation}{UNIT}{os.getpid()}{UNIT}{clean}\n"
        try:
            os.write(self.fd, line.encode("utf-8", "replace"))
        except OSError:
            # The host is gone or going: a function must not fail for its prints.
            return


class LogStream(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr."""

    def __init__(self, pipe: LogPipe, level: str) -> None:
        self._pipe = pipe
        self._level = level
        self._rest = ""
        self.buffer = io.FileIO(pipe.fd, "w", closefd=False)

    def fileno(self) -> int:
        """The pipe itself; what is written to it has no invocation's id."""
        return self._pipe.fd

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Pass on whole lines; keep the rest until its end comes."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._pipe.write_line(self._level, line)
        if len(self._rest) > PIECE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Pass on a line that has no end yet."""
        if self._rest:
            line, self._rest = self._rest, ""
            self._pipe.write_line(self._level, line)


class LogHandler(logging.Handler):
    """Takes what the package says through the logging module."""

    def __init__(self, pipe: LogPipe) -> None:
        super().__init__()
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """One record, its traceback as further lines."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - a record's arguments are the package's, and may not fit its text
            text = f"(a log record that cannot be formatted: {record.msg!r})"
        for line in text.split("\n"):
            self._pipe.write_line(record.levelname.lower(), line)


class FunctionLogger(logging.LoggerAdapter[logging.Logger]):
    """`context.logger`: a logger that also takes fields, `logger.info_with("drift", sensor=3)`."""

    def debug_with(self, message: str, **fields: Any) -> None:
        """Log at DEBUG, the fields behind the message."""
        self.debug(_with_fields(message, fields))

    def info_with(self, message: str, **fields: Any) -> None:
        """Log at INFO, the fields behind the message."""
        self.info(_with_fields(message, fields))

    def warn_with(self, message: str, **fields: Any) -> None:
        """Log at WARNING, the fields behind the message."""
        self.warning(_with_fields(message, fields))

    def error_with(self, message: str, **fields: Any) -> None:
        """Log at ERROR, the fields behind the message."""
        self.error(_with_fields(message, fields))

    warning_with = warn_with


def _with_fields(message: str, fields: dict[str, Any]) -> str:
    return " ".join([message, *(f"{name}={value!r}" for name, value in fields.items())])
