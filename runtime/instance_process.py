"""The very process that an instance is: known by its pid, held by a descriptor that no other can inherit."""

import contextlib
import os
import signal


class InstanceProcess:
    """`pid` is 0 until it greeted us."""

    def __init__(self) -> None:
        self.pid = 0
        self._forked = 0
        self._pidfd = -1

    def greeted(self, pid: int) -> None:
        """This process spoke for the slot, as the kernel says."""
        self.pid = pid
        with contextlib.suppress(OSError):
            self._pidfd = os.pidfd_open(pid)

    def forked(self, pid: int) -> None:
        """The arbiter says which process it forked for the slot."""
        self._forked = pid

    @property
    def is_another(self) -> bool:
        """Whether some other process than the one that was forked spoke for the slot."""
        return bool(self._forked and self.pid and self.pid != self._forked)

    def signal(self, number: signal.Signals) -> None:
        """Signal the very process that greeted us."""
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def close(self) -> None:
        """It is no more."""
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
