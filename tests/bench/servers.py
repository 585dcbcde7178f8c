"""A peer's server as a child process: it is started, answers rightly, and ends with all that it started."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from tests.bench.part import UnmeasuredError
from tests.bench.plan import bodies
from tests.bench.shots import JSON, Target
from tests.hosts import ROOT, wait_until

LAUNCH = ROOT / "functions" / "launch.py"
PASSED_ON = ("PATH", "HOME", "LANG")
PATIENCE = 90.0
GRACE = 5.0


@dataclass(frozen=True)
class Server:
    """How a server is started: it answers events at `url`, and writes below `folder` only."""

    name: str
    command: list[str]
    url: str
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Target]:
    """Start a server, and wait until it answers; raises UnmeasuredError when it does not."""
    log_file = server.folder / f"{server.name}.log"
    with spawned(server, log_file) as process:
        try:
            wait_until(lambda: _answers(server, process, log_file), f"{server.name} listens", PATIENCE)
        except AssertionError as error:
            raise UnmeasuredError(f"{server.name} does not start: {_last_words(log_file) or error}") from None
        yield Target(server.name, server.url, process.pid)


@contextlib.contextmanager
def spawned(server: Server, log_file: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The server's process, which dies with this one; at the end nothing of it is left."""
    launch = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid())]
    environ = {key: os.environ[key] for key in PASSED_ON if key in os.environ} | {"PYTHONPATH": str(ROOT)}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*launch, *server.command],
            stdout=log,
            stderr=log,
            env=environ | dict(server.environ),
            cwd=server.folder,
        )
    try:
        yield process
    finally:
        _end(process)


def answers_rightly(url: str) -> bool:
    """Whether a server listens; raises AssertionError when it answers anything but what the function says."""
    try:
        # Without certificates, whose loading would take more time than the server does.
        with httpx.Client(headers=JSON, verify=False) as client:
            told = {name: client.post(url, content=body) for name, body in bodies().items()}
    except httpx.TransportError:
        return False
    if {each.status_code for each in told.values()} & {404, 503}:
        return False  # it listens before it has loaded the function
    assert told["A"].is_success and told["A"].json() == "1", told["A"].text
    assert told["B"].is_success and told["B"].json() == json.loads(bodies()["B"]), told["B"].text
    return True


def _answers(server: Server, process: "subprocess.Popen[bytes]", log_file: Path) -> bool:
    assert process.poll() is None, f"it ended: {_last_words(log_file)}"
    return answers_rightly(server.url)


def _last_words(log_file: Path) -> str:
    return " ".join(log_file.read_text(encoding="utf-8", errors="replace").split())[-300:]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Some peers leave their workers behind: whatever a server started is made to end in the end."""
    mine = [psutil.Process(process.pid)] if process.poll() is None else []
    family = [*mine, *(child for each in mine for child in each.children(recursive=True))]
    process.terminate()
    _, alive = psutil.wait_procs(family, GRACE)
    for each in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait(GRACE)
