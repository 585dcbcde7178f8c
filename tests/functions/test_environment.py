"""Environments are built by the real uv, or fail in one sentence and leave nothing behind."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from functions.environment import (
    MOST_LOGGED,
    BuildLog,
    BuildOrder,
    build_environment,
    clean_environment,
    link_mode,
)
from functions.errors import BuildError
from functions.interpreters import find_python
from tests.functions.wheelhouse import make_wheel, package_index


def order_in(folder: Path, *requirements: str) -> BuildOrder:
    return BuildOrder(
        target=folder / "环境 1",
        log_path=folder / "logs" / "build.log",
        requirements=requirements,
        cache_dir=folder / "cache",
        time_limit=60,
    )


def build(order: BuildOrder) -> tuple[Path, list[str]]:
    lines: list[str] = []
    return asyncio.run(build_environment(order, lines.append)), lines


def refusal(order: BuildOrder) -> str:
    with pytest.raises(BuildError) as caught:
        build(order)
    assert not order.target.exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def output_of(python: Path, code: str) -> str:
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder behind the package index that uv uses."""
    folder = tmp_path / "index"
    make_wheel(folder / "tinyone", "tinyone", "1.0")
    make_wheel(folder / "tinytwo", "tinytwo", "2.0", requires="tinyone>=5")
    (folder / "sourceonly").mkdir()
    (folder / "sourceonly" / "sourceonly-1.0.tar.gz").write_bytes(b"")
    with package_index(folder) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        monkeypatch.setenv("UV_HTTP_RETRIES", "0")
        yield folder


@pytest.fixture
def silent_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An index that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.getsockname()[1]}")
        yield


def test_a_venv_without_requirements_runs_the_host_s_python(tmp_path: Path) -> None:
    python, lines = build(order_in(tmp_path))
    assert python == tmp_path / "环境 1" / "bin" / "python"
    assert output_of(python, "import sys; print(*sys.version_info[:2], sys.prefix)").split(" ", 2) == [
        *map(str, sys.version_info[:2]),
        f"{tmp_path / '环境 1'}\n",
    ]
    assert (tmp_path / "logs" / "build.log").read_text() == "".join(f"{line}\n" for line in lines)


def test_a_requirement_comes_from_the_index_and_every_line_is_told(tmp_path: Path, index: Path) -> None:
    python, lines = build(order_in(tmp_path, "tinyone"))
    assert output_of(python, "import tinyone; print(tinyone.version)") == "1.0\n"
    assert " + tinyone==1.0" in lines
    assert " + tinyone==1.0" in (tmp_path / "logs" / "build.log").read_text()


def test_wheels_of_the_package_are_used_and_nothing_else(tmp_path: Path, index: Path) -> None:
    make_wheel(tmp_path / "wheels", "tinyown", "3.0")
    order = replace(order_in(tmp_path, "tinyown"), wheels=tmp_path / "wheels")
    assert output_of(build(order)[0], "import tinyown; print(tinyown.version)") == "3.0\n"
    message = refusal(replace(order, requirements=("tinyone",)))
    assert "tinyone" in message and message.endswith("add its wheel to wheels/")


def test_a_second_venv_shares_the_files_of_the_first(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "tinyone", "1.0")
    order = replace(order_in(tmp_path, "tinyone"), wheels=tmp_path / "wheels")
    first, _ = build(order)
    second, _ = build(replace(order, target=tmp_path / "second"))
    numbers = {
        int(output_of(python, "import os, tinyone; print(os.stat(tinyone.__file__).st_ino)"))
        for python in (first, second)
    }
    assert len(numbers) == 1


def test_what_is_left_of_an_earlier_build_is_replaced(tmp_path: Path) -> None:
    order = order_in(tmp_path)
    order.target.mkdir()
    (order.target / "half").write_text("built")
    build(order)
    assert not (order.target / "half").exists()


@pytest.mark.parametrize(
    ("requirements", "parts"),
    [
        (("no-such-thing",), ("the requirement no-such-thing cannot be had", "check its name")),
        (("tinyone==9",), ("the requirement tinyone==9 cannot be had", "there is no version")),
        (("tinyone>1,<2",), ("the requirement tinyone>1,<2 cannot be had",)),
        (("tinyone==1.0", "tinyone==2.0"), ("tinyone==1.0 and tinyone==2.0", "exclude each other")),
        (("tinytwo",), ("the requirement tinytwo cannot be had", "tinyone>=5")),
        (("sourceonly",), ("the requirement sourceonly cannot be had", "`build: true`")),
        (("tinyone===",), ("a requirement cannot be read", "tinyone===")),
    ],
)
def test_a_requirement_that_cannot_be_had_is_told_in_one_sentence(
    tmp_path: Path, index: Path, requirements: tuple[str, ...], parts: tuple[str, ...]
) -> None:
    message = refusal(order_in(tmp_path, *requirements))
    assert all(part in message for part in parts), message
    assert "we can conclude" not in message and "Because" not in message


def test_an_index_that_is_away_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("UV_DEFAULT_INDEX", address)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    message = refusal(order_in(tmp_path, "tinyone"))
    assert f"{address}/tinyone" in message and "wheels/" in message


def test_a_build_that_takes_too_long_is_ended(tmp_path: Path, silent_index: None) -> None:
    assert "within 1 s" in refusal(replace(order_in(tmp_path, "tinyone"), time_limit=1))
    assert not uv_processes(psutil.Process())


def uv_processes(parent: psutil.Process) -> list[psutil.Process]:
    """The running `uv pip` below `parent`, past its launcher."""
    return [child for child in parent.children(recursive=True) if "pip" in command_of(child)[1:2]]


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def test_a_cancelled_build_leaves_no_process_and_no_folder(tmp_path: Path, silent_index: None) -> None:
    order = order_in(tmp_path, "tinyone")

    async def cancel_it() -> None:
        task = asyncio.create_task(build_environment(order, lambda line: None))
        await asyncio.to_thread(eventually, lambda: bool(uv_processes(psutil.Process())))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_it())
    assert not uv_processes(psutil.Process())
    assert not order.target.exists()


def test_uv_dies_with_a_host_that_is_killed(tmp_path: Path, silent_index: None) -> None:
    program = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from functions.environment import MOST_LOGGED, BuildLog, BuildOrder, build_environment
        folder = Path(sys.argv[1])
        order = BuildOrder(folder / "e", folder / "log", requirements=("x",), cache_dir=folder / "cache")
        asyncio.run(build_environment(order, lambda line: None))
    """)
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}) as host:
        try:
            eventually(lambda: bool(uv_processes(psutil.Process(host.pid))))
            uv = uv_processes(psutil.Process(host.pid))
        finally:
            host.send_signal(signal.SIGKILL)
            host.wait(20)
    assert psutil.wait_procs(uv, timeout=20)[1] == []


def test_uv_learns_nothing_that_it_does_not_need() -> None:
    environ = {"PATH": "/bin", "UV_DEFAULT_INDEX": "x", "https_proxy": "p", "SSL_CERT_FILE": "c"}
    secrets = {"AWS_SECRET": "s", "FNHOST_TOKEN": "t", "PYTHONPATH": "/evil", "LD_PRELOAD": "/evil.so"}
    assert clean_environment({**environ, **secrets}) == environ


def test_only_who_asks_for_it_shares_files_of_the_cache_with_functions_of_the_same_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = [link_mode({"UV_LINK_MODE": mode} if mode else {}) for mode in ("", "symlink", "hardlink")]
    assert told == ["copy", "copy", "hardlink"]


def test_an_interpreter_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    versions = tmp_path / ".pyenv" / "versions"
    for version, exit_code in (("3.98.10", 127), ("3.98.9", 0)):
        python = versions / version / "bin" / "python3.98"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\necho {version}\nexit {exit_code}\n")
        python.chmod(0o755)
    env = {"HOME": str(tmp_path), "PATH": "/nowhere"}
    assert asyncio.run(find_python("3.98", env)) == versions / "3.98.9" / "bin" / "python3.98"
    with pytest.raises(BuildError, match=r"Python 3\.97 is not installed"):
        asyncio.run(find_python("3.97", env))


def test_the_version_of_the_host_is_the_host_s_own_interpreter() -> None:
    own = asyncio.run(find_python(None, os.environ))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert asyncio.run(find_python(version, os.environ)) == own


def test_of_very_much_output_the_log_keeps_both_ends_and_says_what_is_left_out(tmp_path: Path) -> None:
    file, told = tmp_path / "build.log", list[str]()
    log = BuildLog(file, told.append)
    for number in range(400):
        log.note(f"{number} " + "x" * 10_000)
    log.close()
    lines = file.read_text().splitlines()
    (gap,) = (line for line in lines if line.endswith("were left out here)"))
    assert lines[0].startswith("0 ") and lines[-1].startswith("399 ") and len(told) == 400
    assert int(gap[1:].split()[0]) == 400 - (len(lines) - 1) and file.stat().st_size < 2 * MOST_LOGGED + 100
    assert file.stat().st_mode & 0o777 == 0o600
