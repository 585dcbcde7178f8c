"""The host's channel to the one worker of a process of subinterpreters."""

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable

from runtime.worker import control

Tell = Callable[[control.Message, tuple[int, ...]], None]
Send = Callable[[Tell], None]
"""Sends something with the function that it is given, which raises BlockingIOError when there is no room."""


class WorkerChannel:
    """What is asked before there is room for it waits.

    `listener` is called with each message, and with None when the worker has closed its side.

    It is a place that an arbiter forks a worker for. Raises OSError when there are no descriptors.
    """

    number = 0

    def __init__(self, listener: Callable[[control.Message | None], None]) -> None:
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Send] = deque()
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.setblocking(False)
        self._loop.add_reader(self._ours, self._read)

    def hand_over(self, send: Callable[[tuple[int, ...]], None]) -> None:
        """Give the worker's end away, and keep no copy of it."""
        send((self._theirs.fileno(),))
        self._theirs.close()

    def ask(self, send: Send) -> None:
        """Have something sent in its turn."""
        self._waiting.append(send)
        if len(self._waiting) == 1:
            self._loop.add_writer(self._ours, self._write)

    @property
    def is_open(self) -> bool:
        """Whether it was not closed yet."""
        return self._ours.fileno() >= 0

    def close(self) -> None:
        """Hear and send no more."""
        if self.is_open:
            self._loop.remove_reader(self._ours)
            self._loop.remove_writer(self._ours)
            self._ours.close()
            self._theirs.close()
            for send in self._waiting:
                # It is sent to nobody, so that what goes with it is let go of.
                send(lambda message, fds: None)

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._waiting:
                send = self._waiting.popleft()
                try:
                    send(self._send)
                except BlockingIOError:
                    self._waiting.appendleft(send)
                    raise
            self._loop.remove_writer(self._ours)

    def _send(self, message: control.Message, fds: tuple[int, ...]) -> None:
        try:
            control.send(self._ours, message, fds)
        except BlockingIOError:
            raise
        except OSError:
            # The worker is dead, which its arbiter tells.
            return

    def _read(self) -> None:
        try:
            message, fds = control.receive(self._ours)
        except BlockingIOError:
            return
        except ValueError:
            # What cannot be read says nothing that a listener would believe.
            message, fds = {}, []
        except OSError:
            message, fds = None, []
        for fd in fds:
            os.close(fd)
        if message is None:
            self._loop.remove_reader(self._ours)
        self._listener(message)
