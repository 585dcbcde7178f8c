"""Makes a process that a function forks its own: it answers nothing, and signals end it like any other."""

import os
import signal
import socket
import threading


class ForkGuard:
    """Lets go of the slot's `channel` in every child; `signals` are those that the instance handles."""

    def __init__(self, channel: socket.socket, signals: list[int]) -> None:
        self._channel = channel
        self._signals = signals
        self._masks = threading.local()

    def install(self) -> None:
        """For the rest of this process's life."""
        os.register_at_fork(before=self._hold, after_in_parent=self._release, after_in_child=self._let_go)

    def _hold(self) -> None:
        # A signal that the child gets before its handlers are reset would run ours, or be lost.
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)

    def _release(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def _let_go(self) -> None:
        self._channel.close()
        signal.set_wakeup_fd(-1)
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)
        self._release()
