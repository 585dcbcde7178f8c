"""Sends what a function prints or logs to the host, line by line with the invocation's id, and bounded.

A line on the pipe is `RS level US id US pid US text LF`; anything else on it came from below Python (a C
library, the interpreter's own crash report). A piece stays below PIPE_BUF, so instances that share the pipe
never mix within one (pipe(7)).
"""

import io
import logging
import os
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

RECORD, UNIT = "\x1e", "\x1f"
PIECE = 3000
MAX_PER_INVOCATION = 1024 * 1024
LINE_COST = 64
"""What a line costs beside its text, in bytes: many short lines burden the host as one long one does."""


class LogPipe:
    """The instance's end of the log; counts bytes per invocation and drops what is over the bound."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.streams: list[LogStream] = []
        self._current: ContextVar[str] = ContextVar("invocation", default="")
        self._kept: dict[str, int] = {}
        self._dropped: dict[str, int] = {}

    @property
    def invocation(self) -> str:
        """Whose line it is that is written now; a thread's are the one's that runs, if only one does."""
        current = self._current.get()
        if current or len(self._kept) != 1:
            return current
        return next(iter(self._kept.copy()), "")

    def begin(self, invocation: str) -> None:
        """What is written from now on belongs to this invocation."""
        self._current.set(invocation)
        self._kept[invocation] = 0

    def end(self) -> None:
        """Send lines without an end, and say how much was dropped, if anything was."""
        invocation = self._current.get()
        for stream in self.streams:
            if stream.rests or stream.cut:
                stream.finish(invocation)
        self._kept.pop(invocation, None)
        if self._dropped and (dropped := self._dropped.pop(invocation, 0)):
            text = f"{dropped} bytes more were printed by this invocation and not kept"
            self._send("warning", invocation, text)
        self._current.set("")

    def write_line(self, level: str, text: str, invocation: str | None = None) -> None:
        """Keep one line, cut into pieces where it is long."""
        whose = self.invocation if invocation is None else invocation
        kept = self._kept.get(whose)
        if kept is not None:
            room = max(0, MAX_PER_INVOCATION - kept)
            self._kept[whose] = kept + len(text) + LINE_COST
            if not room:
                self._drop(whose, f"{text}\n")
                return
            self._drop(whose, text[room:])
            text = text[:room]
        for start in range(0, len(text) or 1, PIECE // 4):
            self._send(level, whose, text[start : start + PIECE // 4])

    def _drop(self, invocation: str, text: str) -> None:
        if text:
            dropped = self._dropped.get(invocation, 0)
            self._dropped[invocation] = dropped + len(text.encode("utf-8", "replace"))

    def write_failure(self, record: Mapping[str, Any], invocation: str | None = None) -> None:
        """What went wrong in the package, and where."""
        self.write_line("error", f"{record['type']}: {record['message']}", invocation)
        for line in record["stack"]:
            self.write_line("error", line, invocation)

    def _send(self, level: str, invocation: str, text: str) -> None:
        clean = text.replace(RECORD, " ").replace("\r", "")
        line = f"{RECORD}{level}{UNIT}{invocation}{UNIT}{os.getpid()}{UNIT}{clean}\n"
        try:
            os.write(self.fd, line.encode("utf-8", "replace"))
        except OSError:
            # The host is gone or going: a function must not fail for its prints.
            return


class LogStream(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr; threads and invocations do not mix within a line."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, pipe: LogPipe, level: str) -> None:
        self._pipe = pipe
        self._level = level
        self.rests: dict[tuple[int, str], str] = {}
        self.cut: set[tuple[int, str]] = set()
        self.buffer = io.FileIO(pipe.fd, "w", closefd=False)
        pipe.streams.append(self)

    def fileno(self) -> int:
        """The pipe itself; what is written to it has no invocation's id."""
        return self._pipe.fd

    def writable(self) -> bool:
        """Always."""
        return True

    def reconfigure(self, **_: object) -> None:
        """Lines leave as UTF-8 when they end, whatever a package asks of its standard streams."""

    def write(self, text: str) -> int:
        """Pass on whole lines; keep the rest until its end comes."""
        key = self._key()
        *lines, rest = (self.rests.pop(key, "") + text).split("\n")
        if lines and key in self.cut:
            # The line was sent before its end came: an end alone is no line more.
            self.cut.discard(key)
            lines = lines if lines[0] else lines[1:]
        for line in lines:
            self._pipe.write_line(self._level, line, key[1])
        if rest:
            self.rests[key] = rest
        if len(rest) > PIECE:
            self._pass_on(key)
        return len(text)

    def flush(self) -> None:
        """Pass on a line that has no end yet."""
        self._pass_on(self._key())

    def finish(self, invocation: str) -> None:
        """Pass on what an invocation printed without an end of line, from whichever thread."""
        for key in list(self.rests):
            if key[1] == invocation:
                self._pass_on(key)
        for key in tuple(self.cut):
            if key[1] == invocation:
                self.cut.discard(key)

    def _pass_on(self, key: tuple[int, str]) -> None:
        if rest := self.rests.pop(key, ""):
            self._pipe.write_line(self._level, rest, key[1])
            self.cut.add(key)

    def _key(self) -> tuple[int, str]:
        return threading.get_ident(), self._pipe.invocation


class LogHandler(logging.Handler):
    """Takes what the package says through the logging module."""

    def __init__(self, pipe: LogPipe) -> None:
        super().__init__()
        # Level, time and invocation travel beside the text; basicConfig would put the level into it again.
        self.setFormatter(logging.Formatter("%(message)s"))
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """One record, its traceback as further lines."""
        try:
            text = self.format(record)
        except Exception as error:  # noqa: BLE001 - the arguments are the package's, and may not fit the text
            where = f"{record.filename}:{record.lineno}"
            text = f"(the log record of {where} cannot be formatted: {type(error).__name__})"
        for line in text.split("\n"):
            self._pipe.write_line(record.levelname.lower(), line)


class FunctionLogger(logging.LoggerAdapter[logging.Logger]):
    """`context.logger`: a logger that also takes fields, `logger.info_with("drift", sensor=3)`."""

    def debug_with(self, message: str, **fields: Any) -> None:
        """Log at DEBUG, the fields behind the message."""
        self.debug("%s", _with_fields(message, fields))

    def info_with(self, message: str, **fields: Any) -> None:
        """Log at INFO, the fields behind the message."""
        self.info("%s", _with_fields(message, fields))

    def warn_with(self, message: str, **fields: Any) -> None:
        """Log at WARNING, the fields behind the message."""
        self.warning("%s", _with_fields(message, fields))

    def error_with(self, message: str, **fields: Any) -> None:
        """Log at ERROR, the fields behind the message."""
        self.error("%s", _with_fields(message, fields))

    warning_with = warn_with


def _with_fields(message: str, fields: dict[str, Any]) -> str:
    return " ".join([str(message), *(f"{name}={value!r}" for name, value in fields.items())])
