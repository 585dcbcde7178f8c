"""The host's hold on one arbiter process: its start, its control channel, its log and its end."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from runtime.boxes.boxes import Boxes
from runtime.leftovers import MARKER
from runtime.loglines import LogLine, LogReader, LogSink
from runtime.observations import Observer
from runtime.overlay import Overlay
from runtime.sharing.register import Register
from runtime.spec import PoolSpec
from runtime.turns import Turns
from runtime.worker import control
from runtime.worker.box_plan import BoxPlan
from runtime.worker.pickle_policy import PicklePolicy

logger = logging.getLogger(__name__)

WORKER_MAIN = "__main__.py"
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
# Hugging Face's tokenizers start a pool of threads by themselves and warn of it after each fork.
UNTHREADED = {"TOKENIZERS_PARALLELISM": "false"}
BOOTS_PER_CORE = 2
NO_BOX = "its box cannot be made"
MOST_LAST_WORDS = 64
"""Messages that are heard after an arbiter's end: each of its instances, and why it failed."""
PASSED_ON = ("LANG", "LC_ALL", "TZ", "PATH")

Listener = Callable[[control.Message | None], None]


@dataclass(frozen=True)
class Workshop:
    """What every arbiter of one host is started with.

    `owner` marks our processes in their environment; `boxes` confine them; `pickles` says what their models
    may import; `turns` are for booting; `shared` are the processes of subinterpreters; `observer` is
    told what happens.
    """

    overlay: Overlay
    owner: str
    log: LogSink
    boxes: Boxes = field(default_factory=Boxes)
    pickles: PicklePolicy = field(default_factory=PicklePolicy)
    turns: Turns = field(default_factory=lambda: Turns(BOOTS_PER_CORE * (os.cpu_count() or 1)))
    shared: Register = field(default_factory=Register)
    observer: Observer = field(default_factory=Observer)

    @property
    def code(self) -> tuple[Path, ...]:
        """The folders that an arbiter imports from beside the package's and its environment's."""
        return self.overlay.folders

    def say(self, revision: str, text: str) -> None:
        """Write a line of the host's own into a function's log."""
        self.log(LogLine(time.time(), "warning", "", revision, text))


class ArbiterProcess:
    """One started arbiter; `listener` is called with each of its messages, and with None at its end.

    Raises OSError when it cannot be started.
    """

    def __init__(self, spec: PoolSpec, workshop: Workshop, listener: Listener) -> None:
        self.spec = spec
        self._workshop = workshop
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._log = LogReader(spec, workshop.log)
        self.box = workshop.boxes.open(spec)
        self.killed_for: str | None = None
        try:
            with theirs:
                self._process = self._spawn(theirs)
            self._pidfd = self._open_pidfd()
        except OSError:
            self._channel.close()
            self._log.close()
            raise
        self._channel.setblocking(False)
        self._loop.add_reader(self._channel, self._read)
        self.ended: asyncio.Future[int] = self._loop.create_future()
        self._loop.add_reader(self._pidfd, self._reap)

    def _open_pidfd(self) -> int:
        try:
            return os.pidfd_open(self._process.pid)
        except OSError:
            # No descriptor is left: nobody could end it later.
            self._process.kill()
            self._process.wait()
            raise

    @property
    def pid(self) -> int:
        """The arbiter's process id."""
        return self._process.pid

    @property
    def recent_lines(self) -> list[str]:
        """The last lines that the pool printed."""
        return list(self._log.recent)

    def begin(self, preload: bool) -> None:
        """Put the arbiter into its box, then tell it what to load."""
        # In a thread: a control group takes milliseconds to join, a folder may be large.
        entering = self._loop.run_in_executor(None, self.box.enter, self.pid)
        entering.add_done_callback(lambda done: self._set_up(done, preload))

    def _set_up(self, entered: "asyncio.Future[BoxPlan]", preload: bool) -> None:
        if entered.cancelled() or self.ended.done():
            return
        if error := entered.exception():
            self._tell({"op": "failed", "error": {"type": "LoadError", "message": f"{NO_BOX}: {error}"}})
            self.kill_group()
            return
        setup = setup_message(self.spec, self._workshop)
        try:
            self.send({**setup, "box": entered.result()._asdict(), "preload": preload})
        except ValueError as error:
            self._tell({"op": "failed", "error": {"type": "LoadError", "message": str(error)}})
            self.kill_group()

    def send(self, message: control.Message, fds: tuple[int, ...] = ()) -> None:
        """Send one command; a dead arbiter is noticed elsewhere."""
        with contextlib.suppress(OSError):
            control.send(self._channel, message, fds)

    def signal(self, number: signal.Signals) -> None:
        """Signal this very process, never another that has its pid by now."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def kill_group(self) -> None:
        """Kill the arbiter and all that stayed in its session or its box: instances and what they started."""
        if not self.ended.done():
            self._kill_all()

    def _kill_all(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        # What has left its session has not left its control group.
        self.box.kill()

    async def stop(self, grace: float) -> None:
        """Let the arbiter end by itself for `grace` seconds, then kill it with all it started."""
        self.send({"op": "stop"})
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self.ended), grace)
        self.kill_group()
        await self.ended

    def _spawn(self, theirs: socket.socket) -> "subprocess.Popen[bytes]":
        # From the main thread only: the parent-death signal follows the thread that spawned.
        with self._log.writing_end() as log_fd:
            return subprocess.Popen(
                [
                    self.spec.program,
                    "-I",
                    "-S",
                    self._workshop.overlay.worker / WORKER_MAIN,
                    str(theirs.fileno()),
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log_fd,
                stderr=log_fd,
                cwd=self.spec.package_dir,
                env=make_environment(self.spec, self._workshop.owner, self.box.temporary),
                start_new_session=True,
            )

    def _read(self) -> None:
        try:
            message = self._receive()
        except BlockingIOError:
            return
        except (ValueError, OSError):
            message = None
        if message is None:
            self._loop.remove_reader(self._channel)
            self.kill_group()
        else:
            self._tell(message)

    def _receive(self) -> control.Message | None:
        message, fds = control.receive(self._channel)
        for fd in fds:
            os.close(fd)
        return message

    def _tell(self, message: control.Message) -> None:
        try:
            self._listener(message)
        except Exception:
            # The arbiter is not trusted, and what it says may be anything.
            logger.exception(
                "%s: its arbiter sent what is no message; it is killed",
                self.spec.label,
                extra=self.spec.fields,
            )
            self.kill_group()

    def _reap(self) -> None:
        status = self._process.wait()
        self.killed_for = self.box.why_killed()
        self._loop.remove_reader(self._pidfd)
        # First: children that hold the channel could fill it for as long as we read from it.
        self._kill_all()
        self._drain_channel()
        self._channel.close()
        os.close(self._pidfd)
        self._log.close()
        self._loop.run_in_executor(None, self.box.leave)
        self.ended.set_result(status)
        self._listener(None)

    def _drain_channel(self) -> None:
        with contextlib.suppress(ValueError, OSError):
            for _ in range(MOST_LAST_WORDS):
                if (message := self._receive()) is None:
                    break
                self._tell(message)
        self._loop.remove_reader(self._channel)


def setup_message(spec: PoolSpec, workshop: Workshop) -> dict[str, Any]:
    """What the code inside an arbiter, or a subinterpreter, is told before it begins."""
    return {
        "label": spec.label,
        "python": str(spec.python),
        "isolation": spec.isolation,
        "handler": spec.handler,
        "accepts": spec.accepts,
        "concurrency": spec.concurrency,
        "batch": None if spec.batch is None else asdict(spec.batch),
        "max_event": spec.max_event,
        "max_result": spec.max_result,
        "json_depth": spec.bounds.json_depth,
        "log_invocation": spec.bounds.log_invocation,
        "startup_timeout": spec.startup_timeout,
        "package_dir": str(spec.package_dir),
        "python_path": spec.python_path,
        "output_dir": str(spec.output_dir),
        "env": spec.env,
        "secrets": spec.secrets,
        "publish": spec.publish,
        "models": spec.models,
        "memory": spec.memory,
        "check_fork": spec.check_fork,
        "pickles": workshop.pickles._asdict() if workshop.pickles.says_anything else None,
        "overlay": str(workshop.overlay.arbiter),
        "pickle_overlay": str(workshop.overlay.pickle),
        "parent": os.getpid(),
    }


def make_environment(spec: PoolSpec, owner: str, temporary: Path) -> dict[str, str]:
    """The environment of a revision before it is boxed: what functions may know of ours.

    What its manifest adds comes later, by itself: LD_PRELOAD would run a program before any box stands.
    """
    ours = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    threads = dict.fromkeys(THREAD_VARIABLES, str(spec.threads)) | ({} if spec.threads > 1 else UNTHREADED)
    folders = {"HOME": str(spec.output_dir), "TMPDIR": str(temporary)}
    named = {**folders, "FNHOST_FUNCTION": spec.function, "FNHOST_REVISION": spec.label}
    return {**ours, **threads, **named, MARKER: owner}
