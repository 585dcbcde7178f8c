"""`fnhost dev`: as somebody new uses it, in an empty folder and with an empty home."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.cli.running import command, environment
from tests.hosts import PATIENCE, wait_until

BROKEN = "def index(event, context:\n"
RAISING = (
    "def index(event, context):\n    return limit(event)\n\n\ndef limit(event):\n    return 1 / event['t']\n"
)
MENDED = "def index(event, context):\n    return {'mended': event['t']}\n"


class Newcomer:
    """A shell in an empty folder; its home and its folder for temporary files are empty, too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "here"
        self.temporary = folder / "temporary"
        self.home = folder / "home"
        for each in (self.folder, self.temporary, self.home):
            each.mkdir()
        os.chmod(self.home, 0o700)
        self.env = environment(HOME=str(self.home), TMPDIR=str(self.temporary), XDG_RUNTIME_DIR="")
        self.lines: list[str] = []
        self.processes: list[subprocess.Popen[str]] = []

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command to its end."""
        return subprocess.run(
            command(*words), cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=PATIENCE
        )

    def start(self, *words: str) -> None:
        """A command that goes on."""
        process = subprocess.Popen(
            command(*words),
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.processes.append(process)

    @property
    def dev(self) -> "subprocess.Popen[str]":
        """What was started last."""
        return self.processes[-1]

    def read_until(self, pattern: str) -> re.Match[str]:
        """Reads its output up to a line with `pattern`; the test's own time limit is the deadline."""
        assert self.dev.stdout is not None
        for line in self.dev.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"it never said {pattern!r}: {''.join(self.lines)}")

    def family(self) -> list[psutil.Process]:
        """All processes that it has started, down to the instances."""
        return psutil.Process(self.dev.pid).children(recursive=True)

    def left(self) -> list[Path]:
        """Files that were left behind beside the package and what uv keeps."""
        found = [*self.temporary.iterdir(), *(path for path in self.home.rglob("*") if path.is_file())]
        return [path for path in found if ".cache" not in path.parts]

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(PATIENCE)
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    made = Newcomer(tmp_path)
    yield made
    made.close()


def save(file: Path, text: str) -> None:
    """At once, as careful editors do: a file that is written in pieces could be deployed in pieces."""
    beside = file.with_name(".saving")
    beside.write_text(text)
    beside.replace(file)


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_function_is_made_served_broken_mended_and_ended(newcomer: Newcomer) -> None:
    assert newcomer.run("init", "hello").returncode == 0
    newcomer.start("dev", "hello", "--event", "hello/samples/hot.json")
    target = newcomer.read_until(
        r"hello@1 is live after [\d.]+ s at (http://127\.0\.0\.1:\d+/invoke/hello)$"
    )[1]
    *curl, flag, body, url = shlex.split(newcomer.read_until(r"Try:  (.*)$")[1])
    assert (curl, flag, url) == (["curl"], "-d", target)
    newcomer.read_until(r"log  too hot: 188$")
    newcomer.read_until(r'in  \{"t": 188\}$')
    newcomer.read_until(r'out  \{"hot": true\}  \([\d.e-]+ ms')

    assert httpx.post(url, content=body, timeout=PATIENCE, trust_env=False).json() == {"hot": True}
    newcomer.read_until(r'out  \{"hot": true\}')
    assert httpx.post(url, content="{", timeout=PATIENCE, trust_env=False).status_code in (400, 500)
    newcomer.read_until(r"fail  ")

    code = newcomer.folder / "hello" / "index.py"
    sound = code.read_text()
    save(code, BROKEN)
    newcomer.read_until(r"fail  index\.py:1: '\(' was never closed$")
    newcomer.read_until(r"not deployed; hello@1 goes on until a save mends it$")
    assert httpx.post(url, content='{"t": 1}', timeout=PATIENCE, trust_env=False).json() == {"hot": False}

    save(code, sound)
    newcomer.read_until(r"hello@1 is what is saved again$")
    save(code, RAISING)
    newcomer.read_until(r"hello@2 is live")
    newcomer.read_until(r"out  0\.005")
    assert httpx.post(url, content='{"t": 0}', timeout=PATIENCE, trust_env=False).status_code == 500
    newcomer.read_until(r"fail  ZeroDivisionError: division by zero  \(")
    frames = [newcomer.read_until(r'File "(.*)", line (\d+)').groups() for _ in range(2)]
    assert frames == [(str(code), "2"), (str(code), "6")]

    save(code, MENDED)
    newcomer.read_until(r"hello@3 is live")
    newcomer.read_until(r'out  \{"mended": 188\}')

    # As the switch of a branch does.
    shutil.copytree(code.parent, newcomer.folder / "other")
    (newcomer.folder / "other" / "index.py").write_text(MENDED.replace("mended", "replaced"))
    shutil.rmtree(code.parent)
    (newcomer.folder / "other").rename(code.parent)
    newcomer.read_until(r'out  \{"replaced": 188\}')
    save(code, MENDED)
    newcomer.read_until(r'out  \{"mended": 188\}')

    family = newcomer.family()
    assert len(family) >= 2
    newcomer.dev.send_signal(signal.SIGINT)
    newcomer.read_until("Stopping")
    assert newcomer.dev.wait(PATIENCE) == 0
    assert all(is_gone(process) for process in family)
    assert newcomer.left() == []


def test_a_killed_one_leaves_no_process(newcomer: Newcomer) -> None:
    newcomer.run("init", "hello", "--template", "async")
    newcomer.start("dev", "hello", "--once")
    newcomer.read_until(r"is live")
    family = newcomer.family()
    newcomer.dev.kill()
    wait_until(lambda: all(is_gone(process) for process in family), "all are gone")


def test_a_package_that_is_refused_ends_once_with_its_fault(newcomer: Newcomer) -> None:
    newcomer.run("init", "hello")
    (newcomer.folder / "hello" / "index.py").write_text("import nonsuch\n")
    done = newcomer.run("dev", "hello", "--once")
    assert done.returncode == 5
    assert "No module named 'nonsuch'" in done.stderr and 'index.py", line 1' in done.stderr
    assert newcomer.left() == []


def test_a_port_that_is_taken_is_told_with_the_remedy(newcomer: Newcomer) -> None:
    newcomer.run("init", "hello")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = newcomer.run("dev", "hello", "--port", port)
    told = f"Error: port {port} is taken; choose another with --port, or leave it out\n"
    assert (done.returncode, done.stderr) == (2, told)
