"""The gunicorn arbiter of one revision: it loads the package and forks instances when the host says so.

It differs from gunicorn's own in this: it may have no worker at all, never listens, never kills or replaces
a worker by itself, takes any exit code of a worker for what it is, and wakes on the host's control channel
instead of once a second.
"""

import gc
import os
import queue
import select
import signal
import socket
import sys
from typing import Any, NoReturn

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from . import box, control
from .context import Context
from .entries import Entry
from .failures import describe_failure
from .instance import InstanceWorker
from .load_warnings import LoadWarnings
from .loader import Footprint, Function, load_function
from .logs import LogPipe
from .settings import ArbiterSettings
from .setup import Setup

BOOT_FAILED = 4
STOP_GRACE = 5


class QuietLogger:
    """gunicorn's logger, reduced to what the function's own log should show."""

    def __init__(self, cfg: Any) -> None:
        self.cfg = cfg
        self._pipe = LogPipe(2)

    def _drop(self, *arguments: object, **options: object) -> None:
        """Booting, exiting and signals are the host's to tell."""

    debug = info = warning = error = reopen_files = close_on_exec = _drop

    def critical(self, text: str, *arguments: object) -> None:
        """What gunicorn itself holds for critical."""
        self._pipe.write_line("critical", text % arguments)

    def exception(self, text: str, *arguments: object) -> None:
        """A failure in gunicorn's or our own code."""
        self._pipe.write_line("error", f"{text % arguments}: {sys.exc_info()[1]!r}")


class PoolApplication:
    """What gunicorn takes for its application: the function."""

    worker_class: type[Worker] = InstanceWorker

    def __init__(self, given: Setup) -> None:
        self.given = given
        self.cfg = ArbiterSettings(
            worker_class=self.worker_class,
            worker_class_str=self.worker_class.__name__,
            workers=0,
            timeout=0,
            graceful_timeout=STOP_GRACE,
            preload_app=given.preload,
            control_socket_disable=True,
            logger_class=QuietLogger,
            proc_name=given.label,
        )
        self._function: Function | None = None

    def wsgi(self) -> Function | None:
        """The function, loaded at the first call; what gunicorn asks for under this name."""
        if self._function is None:
            self._function = self.load()
        return self._function

    def load(self) -> Function | None:
        """Import the package; runs in the arbiter when preloaded, else in each instance."""
        context = Context(self.given.around, {"dl": self.given.start_deadline()})
        return load_function(Entry(self.given.handler, self.given.is_batch), self.given.around, context)


class PoolArbiter(Arbiter):
    """`channel` is the control channel to the host; its end is ours."""

    application = PoolApplication

    def __init__(self, given: Setup, channel: socket.socket) -> None:
        self._channel = channel
        self._given = given
        self._wakeup = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.WORKERS: dict[int, Any] = {}
        self.LISTENERS: list[Any] = []
        super().__init__(self.application(given))

    def start(self) -> None:
        """As gunicorn's, without listeners, pid file and systemd."""
        self.pid = os.getpid()
        self.init_signals()
        gc.freeze()
        control.send(self._channel, {"op": "booted"})

    def init_signals(self) -> None:
        """gunicorn's signals, but for the one that asks for our stack; each wakes the loop."""
        super().init_signals()
        signal.set_wakeup_fd(self._wakeup[1])
        self._given.register_stack_dump()

    def handle_hup(self) -> None:
        """A reload is a new revision; nothing to do here."""

    handle_ttin = handle_ttou = handle_usr2 = handle_winch = handle_hup

    def manage_workers(self) -> None:
        """The host decides how many instances there are."""

    def murder_workers(self) -> None:
        """The host owns the deadlines."""

    def wait_for_signals(self, timeout: float | None = 1.0) -> list[int]:
        """Sleep until a signal or a command comes; obey commands here, return the signals."""
        readable, _, _ = select.select([self._channel.fileno(), self._wakeup[0]], [], [])
        if self._channel.fileno() in readable:
            self._obey(*control.receive(self._channel))
        if self._wakeup[0] in readable:
            os.read(self._wakeup[0], 512)
        return self._queued_signals()

    def _queued_signals(self) -> list[int]:
        signals = []
        try:
            while True:
                signals.append(self.SIG_QUEUE.get_nowait())
        except queue.Empty:
            return signals

    def _obey(self, command: control.Message | None, fds: list[int]) -> None:
        if command is None or command["op"] == "stop":
            raise StopIteration
        if command["op"] == "ping":
            self._tell({"op": "pong"})
        if command["op"] == "spawn":
            self._spawn(command["slot"], fds)

    def _spawn(self, slot: int, fds: list[int]) -> None:
        self.LISTENERS = self.open_files(fds)
        try:
            pid = self.spawn_worker()
        except OSError as error:
            self._tell({"op": "refused", "slot": slot, "reason": str(error)})
        else:
            self.WORKERS[pid].slot = slot
            self._tell({"op": "spawned", "slot": slot, "pid": pid})
        finally:
            for file in self.LISTENERS:
                file.close()
            self.LISTENERS = []

    def open_files(self, fds: list[int]) -> list[Any]:
        """What came with a command to spawn: the slot's socket, and the file of its shared word."""
        return [socket.socket(fileno=fds[0]), os.fdopen(fds[1], "r+b", buffering=0)]

    def reap_workers(self) -> None:
        """Tell the host how each worker ended; exit codes 3 and 4 mean nothing special here."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            worker = self.WORKERS.pop(pid, None)
            if worker is not None:
                worker.tmp.close()
                self._tell({"op": "exited", "slot": worker.slot, "pid": pid, "status": status})

    def _tell(self, message: control.Message) -> None:
        try:
            control.send(self._channel, message)
        except OSError:
            # The host closed the channel: nobody is left to tell, and the loop ends at its next look.
            return


def close_in_child(channel: socket.socket) -> None:
    """An instance must not hold the control channel: its end would not be seen."""
    os.register_at_fork(after_in_child=channel.close)


def run_arbiter(given: Setup, channel: socket.socket) -> NoReturn:
    """Load the package, tell the host how that went, and obey it until it closes the channel."""
    gc.disable()
    box.name_process(given.label)
    footprint = Footprint.take()
    warned = LoadWarnings(given.pipe.mask)
    try:
        with warned.noted():
            arbiter = PoolArbiter(given, channel)
    except BaseException as error:  # noqa: BLE001 - user code ran: the package's import and its init
        record = describe_failure(error, given.around.code_folders, given.box, given.pipe.mask)
        given.pipe.write_failure(record)
        control.send(channel, {"op": "failed", "error": record})
        sys.exit(BOOT_FAILED)
    if warned.notes:
        control.send(channel, {"op": "warned", "notes": list(warned.notes.values())})
    if reason := footprint.unsafe_since():
        if given.check_fork:
            control.send(channel, {"op": "unsafe", "reason": reason})
            os._exit(0)
        given.pipe.write_line("warning", f"forked nevertheless, as `preload: always` says: {reason}")
    close_in_child(channel)
    arbiter.run()
    raise SystemExit(0)
