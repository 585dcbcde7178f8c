"""An instance of a plain function with `concurrency: n`: up to n events at a time, each in a thread."""

import socket
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import NamedTuple

from .frames import Frame
from .streams import Piece, Window
from .sync_loop import READ_SIZE, Intake, Reply, Run


class Staff(NamedTuple):
    """How many threads there may be, and whom they tell what they cannot go on after."""

    most: int
    failed: Callable[[BaseException], object]


class ThreadLoop:
    """The main thread reads the slot's socket; the others run events, and each sends its answers itself."""

    def __init__(self, channel: socket.socket, intake: Intake, reply: Reply, staff: Staff) -> None:
        self._channel = channel
        self._intake = intake
        self._reply = reply
        self._staff = staff
        self._waiting: SimpleQueue[Frame | None] = SimpleQueue()
        self._windows: dict[int, Window] = {}
        self._threads: list[threading.Thread] = []
        self._sending = threading.Lock()
        self._changed = threading.Condition()

    def run(self, run: Run) -> None:
        """Returns at the end of the stream, when all that came before it is answered."""
        while data := self._channel.recv(READ_SIZE):
            for frame in self._intake.feed(data):
                self._take(frame, run)
        with self._changed:
            for window in self._windows.values():
                window.is_lifted = True
            self._changed.notify_all()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def send_piece(self, number: int, piece: Piece) -> bool:
        """Waits for room without keeping the other threads waiting."""
        frame, size = piece
        window = self._windows[number]
        self._check_channel()
        with self._changed:
            self._changed.wait_for(lambda: window.takes(size))
            window.outstanding += size
        if window.is_cancelled:
            return False
        self._send(frame)
        return True

    def _take(self, frame: Frame, run: Run) -> None:
        head = frame[0]
        if "n" in head:
            with self._changed:
                self._windows[head["n"]] = Window()
            self._waiting.put(frame)
            self._hire(run)
        elif window := self._windows.get(head.get("event", 0)):
            with self._changed:
                window.hear(head)
                self._changed.notify_all()
        elif answer := self._reply(head):
            self._send(answer)

    def _hire(self, run: Run) -> None:
        # Not before they are needed: the stack of each counts towards the memory limit.
        if len(self._threads) < min(len(self._windows), self._staff.most):
            name = f"event-{len(self._threads)}"
            thread = threading.Thread(target=self._work, args=(run,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self, run: Run) -> None:
        try:
            while frame := self._waiting.get():
                head, body = frame
                self._send(run(head, body, self))
                with self._changed:
                    del self._windows[head["n"]]
        except BaseException as error:  # noqa: BLE001 - the channel broke, or this is a fork of the function's
            self._staff.failed(error)

    def _send(self, frame: bytes) -> None:
        self._check_channel()
        with self._sending:
            self._channel.sendall(frame)

    def _check_channel(self) -> None:
        # In a child that the function forked, a lock may be held by a thread that does not exist there.
        if self._channel.fileno() < 0:
            raise OSError("the channel to the host is closed")
