"""The peers beside us: functions-framework in a venv of its own, and starlette on uvicorn."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tests.bench.targets import Target
from tests.brokers import free_port
from tests.hosts import ROOT, wait_until

FRAMEWORK, STARLETTE, THREAD = "functions-framework", "starlette inline", "starlette, thread pool"
PATHS = {STARLETTE: "inline", THREAD: "thread"}
PINNED = "functions-framework==3.10.2"
ENVIRONMENT = ROOT / ".bench" / "functions-framework"
LAUNCH = ROOT / "functions" / "launch.py"
PASSED_ON = ("PATH", "HOME", "LANG")


@dataclass(frozen=True)
class Environment:
    """The venv of functions-framework: its versions by package, or why it could not be had."""

    folder: Path
    versions: dict[str, str]
    missing: str | None = None


def build_environment(folder: Path = ENVIRONMENT) -> Environment:
    """Install functions-framework, unless it is there."""
    python = folder / "bin" / "python"
    for command in (
        ["venv", "--allow-existing", "--python", sys.executable, str(folder)],
        ["pip", "install", "--python", str(python), PINNED],
    ):
        ran = _run_uv(command)
        if ran.returncode:
            return Environment(folder, {}, f"{PINNED} could not be installed: {ran.stderr.strip()[-300:]}")
    listed = json.loads(_run_uv(["pip", "list", "--python", str(python), "--format", "json"]).stdout)
    return Environment(folder, {row["name"]: row["version"] for row in listed})


def _run_uv(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, check=False)


@contextlib.contextmanager
def running_peers(environment: Environment, folder: Path) -> Iterator[list[Target]]:
    """Each in one process; without functions-framework if it could not be installed."""
    commands = dict.fromkeys(PATHS, _starlette_command)
    if environment.missing is None:
        commands[FRAMEWORK] = _framework_command
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(_running(name, command(environment, (port := free_port())), port, folder))
            for name, command in commands.items()
        ]


def _starlette_command(environment: Environment, port: int) -> list[str]:
    server = [sys.executable, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    return [*server, "--log-level", "warning", "--port", str(port), "tests.bench.subject.starlette_app:app"]


def _framework_command(environment: Environment, port: int) -> list[str]:
    source = str(ROOT / "tests" / "bench" / "subject" / "framework_main.py")
    server = [str(environment.folder / "bin" / "functions-framework"), "--host", "127.0.0.1"]
    return [*server, "--port", str(port), "--target", "invoke", "--source", source]


@contextlib.contextmanager
def _running(name: str, command: list[str], port: int, folder: Path) -> Iterator[Target]:
    launch = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid())]
    environ = {key: os.environ[key] for key in PASSED_ON if key in os.environ} | {"PYTHONPATH": str(ROOT)}
    log_file = folder / f"{name}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen([*launch, *command], stdout=log, stderr=log, env=environ, cwd=folder)
    try:
        target = Target(name, f"http://127.0.0.1:{port}/{PATHS.get(name, '')}", process.pid)
        wait_until(lambda: _answers(target, process, log_file), f"{name} listens")
        yield target
    finally:
        process.terminate()
        process.wait(20)


def _answers(target: Target, process: "subprocess.Popen[bytes]", log_file: Path) -> bool:
    assert process.poll() is None, log_file.read_text()
    return target.answers_rightly()
