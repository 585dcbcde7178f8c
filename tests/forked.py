"""Hosts that begin as forks of a process that has the program imported: most of a start is imports otherwise.

A fork does what `python -m host.cli` does after them; its words, environment, folder and session are its own.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LONGEST = 1 << 20
# What an interpreter heeds while it starts; the clock of the torture, too, is set by then.
EARLY = ("PYTHON", "LD_", "TORTURE_CLOCK")


@dataclass(frozen=True)
class Start:
    """The words after `fnhost`, the environment, the working folder, and the file that all output goes to."""

    words: Sequence[str]
    env: Mapping[str, str]
    folder: str
    log: str


class Nursery:
    """Starts hosts; one process to fork from for each early environment that it has met."""

    def __init__(self) -> None:
        self._parents: dict[tuple[tuple[str, str], ...], _Parent] = {}

    def start(self, start: Start) -> "Forked":
        """Fork a host; its output is appended to the log."""
        early = tuple(sorted((name, told) for name, told in start.env.items() if name.startswith(EARLY)))
        if early not in self._parents:
            self._parents[early] = _Parent(start.env)
        parent = self._parents[early]
        return Forked(parent, parent.ask(asdict(start)))

    def close(self) -> None:
        """End those that were forked from."""
        for parent in self._parents.values():
            parent.close()


class Forked:
    """A forked host, as `subprocess.Popen` shows a process."""

    def __init__(self, parent: "_Parent", pid: int) -> None:
        self._parent = parent
        self._pidfd = os.pidfd_open(pid)
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that ended it; None while it runs."""
        return self.returncode if self.returncode is not None else self._reap(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises subprocess.TimeoutExpired after `timeout` seconds."""
        code = self.returncode if self.returncode is not None else self._reap(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"host {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _reap(self, timeout: float | None) -> int | None:
        if select.select([self._pidfd], [], [], timeout)[0] and self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(self._parent.ask({"reap": self.pid}))
            os.close(self._pidfd)
        return self.returncode


class _Parent:
    def __init__(self, env: Mapping[str, str]) -> None:
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._asking = threading.Lock()
        with theirs:
            # The last words are for those who tell a host by its command line.
            command = [sys.executable, "-m", "tests.forked", str(theirs.fileno()), "host.cli", "serve"]
            self._process = subprocess.Popen(
                command, env=env, cwd=Path(__file__).parent.parent, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip

    def ask(self, request: Mapping[str, Any]) -> int:
        with self._asking:
            self._line.send(json.dumps(request).encode())
            return int(self._line.recv(LONGEST))

    def close(self) -> None:
        self._line.close()
        self._process.wait(20)


def fork_when_asked(line: socket.socket) -> Start | None:
    """Fork and reap as asked until nobody can ask any more; in a fork, return what it is to be."""
    while asked := line.recv(LONGEST):
        request = json.loads(asked)
        if "reap" in request:
            line.send(b"%d" % os.waitpid(request["reap"], 0)[1])
        elif (pid := os.fork()) == 0:
            return Start(**request)
        else:
            line.send(b"%d" % pid)
    return None


def become(start: Start) -> None:
    """Be the host from here on, as if started by its command."""
    os.setsid()
    log = os.open(start.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for standard in (1, 2):
        os.dup2(log, standard)
    os.close(log)
    os.environ.clear()
    os.environ.update(start.env)
    os.chdir(start.folder)
    sys.path[0] = start.folder


def main() -> None:
    """Import the program, and be what is asked for."""
    import random

    import host.serve
    from host.cli import main as fnhost

    assert host.serve
    with socket.socket(fileno=int(sys.argv[1])) as line, contextlib.suppress(ConnectionResetError):
        start = fork_when_asked(line)
    if start is not None:
        random.seed()
        become(start)
        fnhost(list(start.words), prog_name="fnhost")


if __name__ == "__main__":
    main()
