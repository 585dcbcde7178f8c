"""Sends what a function prints or logs to the host, line by line with the invocation's id, and bounded.

A line on the pipe is `RS level US id US pid US more US fields US text LF`, where more is `+` if it goes on
with the line before it, and fields is empty or a JSON object; anything else on it came from below Python (a
C library, the interpreter's own crash report). A piece stays below PIPE_BUF, so instances that share the pipe
never mix within one (pipe(7)).
"""

import io
import os
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from .masks import Keep, Mask, keep_nothing

RECORD, UNIT = "\x1e", "\x1f"
PIECE = 3000
MOST_FIELDS = 2000
"""Bytes of a line's fields, as JSON in ASCII."""
LINE_COST = 64
"""What a line costs beside its text, in bytes: many short lines burden the host as one long one does."""


class LogRules(NamedTuple):
    """How many bytes one invocation may write, what is blotted out of it, and where it is not to be cut."""

    per_invocation: int = 1024 * 1024
    mask: Mask = str
    keep: Keep = keep_nothing


DEFAULT_RULES = LogRules()


class Mark(NamedTuple):
    """What a line has beside its text: its fields, as JSON, and whether it goes on with the one before it."""

    fields: str = ""
    more: bool = False


PLAIN, MORE = Mark(), Mark(more=True)


class Share:
    """What an invocation, or a batch, has written of what it may, which is `room` bytes."""

    __slots__ = ("dropped", "invocation", "is_open", "room")

    def __init__(self, invocation: str, room: int) -> None:
        self.invocation = invocation
        self.room = room
        self.dropped = 0
        self.is_open = True

    def cut(self, text: str, beside: int = 0) -> str | None:
        """What is kept of a line; None when nothing is, not even its end. `beside` is what goes with it."""
        if not self.is_open:
            return text
        # Without a lock, which a fork could find held: threads that write at once may share a line's room.
        room = self.room
        self.room = room - len(text) - LINE_COST - beside
        if room <= 0:
            self.dropped += _size_of(text) + 1
            return None
        if len(text) > room:
            self.dropped += _size_of(text[room:])
        return text[:room]


def _size_of(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


class LogPipe:
    """The instance's end of the log; counts bytes per invocation and drops what is over the bound.

    `is_shared` says that several invocations may run at a time: a thread that one of them started cannot be
    told from the others' then, so its lines have no id.
    """

    def __init__(self, fd: int, is_shared: bool = False, rules: LogRules = DEFAULT_RULES) -> None:
        self.fd = fd
        self._room, self.mask, self.keep = rules
        self.streams: list[LogStream] = []
        self._is_shared = is_shared
        self._current: ContextVar[Share | None] = ContextVar("invocation", default=None)
        self._alone: Share | None = None

    @property
    def share(self) -> Share | None:
        """Whose line it is that is written now; None outside of invocations."""
        return self._current.get() or self._alone

    def begin(self, invocation: str) -> None:
        """What is written from now on belongs to this invocation; empty for a batch."""
        share = Share(invocation, self._room)
        self._current.set(share)
        if not self._is_shared:
            self._alone = share

    def end(self) -> None:
        """Send lines without an end, and say how much was dropped, if anything was."""
        share = self._current.get()
        if share is None:
            return
        for stream in self.streams:
            if stream.rests or stream.cut:
                stream.finish(share)
        share.is_open = False
        if share.dropped:
            text = f"{share.dropped} bytes more were printed by this invocation and not kept"
            text += " (`limits.log_invocation`)"
            self._send(("warning", share.invocation), text, PLAIN)
        self._current.set(None)
        self._alone = None

    def write_line(self, level: str, text: str, invocation: str | None = None, mark: Mark = PLAIN) -> None:
        """Keep one line, cut into pieces where it is long."""
        share = self.share
        if share is None or invocation not in (None, share.invocation):
            # One of a batch's events, or nobody's.
            self._send_pieces((level, invocation or ""), self.mask(text), mark)
        else:
            self.write_for(share, level, text, mark)

    def write_for(self, share: Share | None, level: str, text: str, mark: Mark = PLAIN) -> None:
        """The same, when it is known whose line it is."""
        # Before the line is cut: half a secret would not be known for one.
        text = self.mask(text)
        kept = share.cut(text, len(mark.fields)) if share else text
        if kept is not None:
            self._send_pieces((level, share.invocation if share else ""), kept, mark)

    def _send_pieces(self, head: tuple[str, str], text: str, mark: Mark) -> None:
        first = (PIECE - len(mark.fields)) // 4
        self._send(head, text[:first], mark)
        for start in range(first, len(text), PIECE // 4):
            self._send(head, text[start : start + PIECE // 4], MORE)

    def write_failure(self, record: Mapping[str, Any], invocation: str | None = None) -> None:
        """What went wrong in the package, and where."""
        self.write_line("error", f"{record['type']}: {record['message']}", invocation)
        for line in record["stack"]:
            self.write_line("error", line, invocation, MORE)

    def _send(self, head: tuple[str, str], text: str, mark: Mark) -> None:
        clean = text.replace(RECORD, " ").replace("\r", "")
        parts = (*head, str(os.getpid()), "+" if mark.more else "", mark.fields, clean)
        line = f"{RECORD}{UNIT.join(parts)}\n"
        try:
            os.write(self.fd, line.encode("utf-8", "replace"))
        except OSError:
            # The host is gone or going: a function must not fail for its prints.
            return


Line = tuple[int, Share | None]
"""A line that has no end yet: the thread that writes it, and whose it is."""


class LogStream(io.TextIOBase):
    """Stands in for sys.stdout and sys.stderr; threads and invocations do not mix within a line."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, pipe: LogPipe, level: str) -> None:
        self._pipe = pipe
        self._level = level
        self.rests: dict[Line, str] = {}
        self.cut: set[Line] = set()
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
            self._pipe.write_for(key[1], self._level, line)
        if rest:
            self.rests[key] = rest
        if len(rest) > PIECE:
            self._pass_on(key, self._pipe.keep)
        return len(text)

    def flush(self) -> None:
        """Pass on a line that has no end yet, but for what a secret may begin with."""
        self._pass_on(self._key(), self._pipe.keep)

    def finish(self, share: Share) -> None:
        """Pass on what an invocation printed without an end of line, from whichever thread."""
        for key in list(self.rests):
            if key[1] is share:
                self._pass_on(key, keep_nothing)
        for key in tuple(self.cut):
            if key[1] is share:
                self.cut.discard(key)

    def _pass_on(self, key: Line, keep: Keep) -> None:
        rest = self.rests.pop(key, "")
        end = len(rest) - keep(rest)
        if end < len(rest):
            self.rests[key] = rest[end:]
        if end:
            self._pipe.write_for(key[1], self._level, rest[:end])
            self.cut.add(key)

    def _key(self) -> Line:
        return threading.get_ident(), self._pipe.share
