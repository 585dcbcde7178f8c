"""An instance of a plain function: one event at a time, in the order in which they came."""

import os
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol

from .frames import Frame, Head
from .streams import Outlet, Piece, Window

# Beyond 128 KiB malloc would map and unmap memory for each call.
READ_SIZE = 64 * 1024

Reply = Callable[[Head], bytes | None]
Run = Callable[[Head, bytes, Outlet], bytes]


class Intake(Protocol):
    """Cuts what was received into frames."""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole by now."""


class SyncLoop:
    """Reads events from the slot's socket until the host closes its side."""

    def __init__(self, channel: socket.socket, intake: Intake, reply: Reply) -> None:
        self._channel = channel
        self._intake = intake
        self._reply = reply
        self._waiting: deque[Frame] = deque()
        # Of the event that streams; the numbers are those of events that nobody wants before they begin.
        self._streaming = 0
        self._window = Window()
        self._cancelled: set[int] = set()

    def run(self, run: Run) -> None:
        """Returns at the end of the stream, when all that came before it is answered."""
        # A child that the function forked must not go on with what is its parent's to do.
        os.register_at_fork(after_in_child=self._waiting.clear)
        while self._look():
            self._work(run)

    def send_piece(self, number: int, piece: Piece) -> bool:
        """Looks at the socket first: the host may say that it took pieces, or that nobody wants more."""
        frame, size = piece
        if number != self._streaming:
            self._streaming, self._window = number, Window()
            self._window.is_cancelled = number in self._cancelled
        self._look(socket.MSG_DONTWAIT)
        while not self._window.takes(size):
            self._look()
        if self._window.is_cancelled:
            return False
        self._window.outstanding += size
        self._channel.sendall(frame)
        return True

    def _look(self, flags: int = 0) -> bool:
        """Take what has come, or wait for something; False at the end of the stream."""
        try:
            data = self._channel.recv(READ_SIZE, flags)
        except BlockingIOError:
            return True
        for frame in self._intake.feed(data):
            if "n" in frame[0]:
                self._waiting.append(frame)
            else:
                self._hear(frame[0])
        self._window.is_lifted = not data
        return bool(data)

    def _hear(self, head: Head) -> None:
        if head.get("event") == self._streaming:
            self._window.hear(head)
        elif head.get("op") == "cancel":
            first = self._waiting[0][0]["n"] if self._waiting else head["event"] + 1
            self._cancelled = {each for each in (*self._cancelled, head["event"]) if each >= first}
        elif frame := self._reply(head):
            self._channel.sendall(frame)

    def _work(self, run: Run) -> None:
        while self._waiting:
            head, body = self._waiting.popleft()
            # Each by itself: sharing writes gained nothing that could be measured, and what waits for a slow
            # neighbour is lost when that one dies.
            self._channel.sendall(run(head, body, self))
