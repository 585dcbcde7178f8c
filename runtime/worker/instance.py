"""One gunicorn worker process of a pool: from the fork to the end of its slot's stream."""

import gc
import mmap
import os
import signal
import socket
import sys
from types import FrameType
from typing import NoReturn

from .boxed import BoxedWorker
from .forks import ForkGuard
from .frames import encode
from .loader import reseed_numpy
from .serving import Serving, report_failure

START_FAILED = 3


class InstanceWorker(BoxedWorker):
    """`sockets` are the slot's channel and the file of its shared word, as the arbiter received them."""

    def init_process(self) -> None:
        """What gunicorn does after a fork, and before it what must be first."""
        self.enter_box()
        reseed_numpy()
        gc.enable()
        self.channel, word_file = self.sockets
        self.word = memoryview(mmap.mmap(word_file.fileno(), mmap.PAGESIZE)).cast("Q")
        word_file.close()
        self.sockets = [self.channel]
        self.channel.sendall(encode({"op": "hello"}))
        ForkGuard(self.channel, self.SIGNALS).install()
        try:
            super().init_process()
        except BaseException as error:  # noqa: BLE001 - user code ran: its hooks, or its import
            self._report(error)
            sys.exit(START_FAILED)

    def init_signals(self) -> None:
        """Signals as gunicorn sets them, and the host's question where we are."""
        super().init_signals()
        # An idle instance waits in recv(2), which a signal must interrupt for the handler to run at all.
        signal.siginterrupt(signal.SIGTERM, True)
        self.given.register_stack_dump()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM ends the stream, not the event that runs."""
        super().handle_exit(sig, frame)
        self.channel.shutdown(socket.SHUT_RD)

    def run(self) -> None:
        """Serve the slot until the host closes it."""
        Serving(self.given, self.channel, self.word, self._fail).run(self.wsgi)

    def _report(self, error: BaseException) -> None:
        if os.getpid() != self.pid:
            self.given.pipe.write_line(
                "error", "a process that the function forked came out of it and was ended"
            )
            return
        report_failure(self.given, self.channel, error)

    def _fail(self, error: BaseException) -> NoReturn:
        """End the process from one of its threads."""
        self._report(error)
        os._exit(START_FAILED)
