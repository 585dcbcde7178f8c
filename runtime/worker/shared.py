"""The one process that subinterpreters share, and its gunicorn arbiter.

The arbiter loads no package and forks one worker. The worker's main interpreter reads commands, and each
revision that is opened runs in a thread of its own, in a subinterpreter of its own: they are created after
the fork, since forking with live ones aborts the child (Python 3.13.0).
"""

import contextlib
import faulthandler
import json
import os
import signal
import socket
import sys
import threading
from queue import SimpleQueue
from types import FrameType
from typing import Any, NoReturn

from . import box, control
from .arbiter import BOOT_FAILED, PoolApplication, PoolArbiter, close_in_child
from .box_plan import BoxPlan
from .boxed import BoxedWorker
from .frames import encode
from .interpreters import run_isolated
from .setup import Setup

FOLDER = os.path.dirname(os.path.abspath(__file__))
START_FAILED = 3 << 8
"""As wait(2) would give an exit code of 3."""
TOO_OLD = (
    "`isolation: subinterpreter` needs Python 3.13 or newer, and the environment of this revision has "
    f"{sys.version.split()[0]}; deploy it with another `python`"
)
DUMP_SIGNAL = signal.SIGUSR2

# Python's own copy of the environment is made when `os` is imported; the process's stays as it is.
SCRIPT = f"""
import json, posix
posix.environ.clear()
posix.environ.update({{name.encode(): value.encode() for name, value in json.loads(environ).items()}})
import importlib.util, sys
spec = importlib.util.spec_from_file_location(
    {__package__!r}, {FOLDER!r} + "/__init__.py", submodule_search_locations=[{FOLDER!r}]
)
module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
importlib.import_module(spec.name + ".tenant").serve_slot(setup, channel, word, log)
"""


class SharedWorker(BoxedWorker):
    """`sockets` holds the channel over which the host opens and leaves subinterpreters."""

    def init_process(self) -> None:
        """As every worker's."""
        self.enter_box()
        super().init_process()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM ends the process: the host sends it when no function is left in it."""
        os._exit(0)

    def run(self) -> None:
        """Obey the host until it closes its side, or a function has closed ours."""
        with contextlib.suppress(OSError):
            Threads(self.sockets[0], self.given.box).run()
        # Python cannot finalize with a subinterpreter that runs.
        os._exit(0)


class Threads:
    """One for each subinterpreter; `channel` leads to the host, `plan` is of the box that all are in."""

    def __init__(self, channel: socket.socket, plan: BoxPlan) -> None:
        self._channel = channel
        self._box = plan._asdict()
        self._running: dict[int, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._told: SimpleQueue[control.Message] = SimpleQueue()

    def run(self) -> None:
        """Returns at the end of the channel."""
        threading.Thread(target=self._tell, daemon=True).start()
        while True:
            command, fds = control.receive(self._channel)
            if command is None:
                return
            if command["op"] == "open":
                threading.Thread(target=self._live, args=(command, fds), daemon=True).start()
            else:
                self._dump(command["slot"])

    def _tell(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                control.send(self._channel, self._told.get())

    def _dump(self, slot: int) -> None:
        with self._lock:
            thread, log = self._running.get(slot, (0, 0))
            if thread:
                # Printed are the frames of the thread that gets the signal, whose interpreter ever that is.
                faulthandler.register(DUMP_SIGNAL, log, all_threads=False)
                signal.pthread_kill(thread, DUMP_SIGNAL)

    def _live(self, command: control.Message, fds: list[int]) -> None:
        slot, log = command["slot"], fds[2]
        command["setup"]["box"] = self._box
        with self._lock:
            self._running[slot] = threading.get_ident(), log
        raised = _run(command, *fds)
        with self._lock:
            del self._running[slot]
        self._told.put({"op": "exited", "slot": slot, "status": START_FAILED if raised else 0})
        for fd in fds:
            os.close(fd)


def _run(command: control.Message, channel: int, word: int, log: int) -> str | None:
    """What went wrong with one subinterpreter; the host has been told when that is the package's fault."""
    os.write(channel, encode({"op": "hello"}))
    setup, environ = json.dumps(command["setup"]), json.dumps(command["environ"])
    try:
        _settle(command["setup"])
        given: dict[str, str | int] = {"channel": channel, "word": word, "log": log}
        raised = run_isolated(SCRIPT, {**given, "setup": setup, "environ": environ})
    except OSError as error:
        raised = f"{type(error).__name__}: {error}"
    if raised is not None and not raised.startswith("SystemExit"):
        record = {"type": "LoadError", "message": f"its subinterpreter failed: {raised}"}
        with contextlib.suppress(OSError):
            os.write(channel, encode({"op": "failed", "error": record}))
    return raised


def _settle(setup: dict[str, Any]) -> None:
    """Give this thread the folders of its function, as far as the box lets it have a working folder."""
    os.makedirs(setup["output_dir"], exist_ok=True)
    if sys.version_info >= (3, 12):
        with contextlib.suppress(PermissionError):
            os.unshare(os.CLONE_FS)
            os.chdir(setup["package_dir"])


class SharedApplication(PoolApplication):
    """What gunicorn takes for its application: nothing, since functions come later."""

    worker_class = SharedWorker

    def load(self) -> None:
        """There is nothing to load."""


class SharedArbiter(PoolArbiter):
    """Forks the one worker."""

    application = SharedApplication

    def open_files(self, fds: list[int]) -> list[Any]:
        """Its one descriptor is a channel to the host."""
        return [socket.socket(fileno=fds[0])]


def run_shared(given: Setup, channel: socket.socket) -> NoReturn:
    """Fork the worker when the host says so, and obey it until it closes the channel."""
    box.name_process(given.label)
    if sys.version_info < (3, 13):
        control.send(channel, {"op": "failed", "error": {"type": "LoadError", "message": TOO_OLD}})
        sys.exit(BOOT_FAILED)
    arbiter = SharedArbiter(given, channel)
    close_in_child(channel)
    arbiter.run()
    raise SystemExit(0)
