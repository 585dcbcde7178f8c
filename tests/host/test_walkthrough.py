"""Every command of docs/switching.md does what the document says, on ports of its own."""

import json
import os
import re
import socket
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.brokers import free_port
from tests.hosts import wait_until
from tests.project.tree import ROOT, clean_environment, copy_project

pytestmark = pytest.mark.timeout(400)  # building the classifier's environment takes its time

FENCE = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORTS = ("1883", "5888", "9000", "18080")
# Commands that run until they are told to stop, and the port on which they listen.
ENDLESS = {
    "python -m http.server": "9000",
    "mosquitto -p": "1883",
    "fnhost fake serve": "18080",
    "fnhost bridge": None,
    "fnhost serve": "5888",
}
HOST_AND_BRIDGES = ("fnhost serve", "fnhost bridge")
PATIENCE = 200.0


def blocks() -> list[str]:
    """The document's blocks of commands, in order."""
    return FENCE.findall((ROOT / "docs/switching.md").read_text(encoding="utf-8"))


def endless(block: str) -> str | None:
    """The command of a block that runs until it is told to stop."""
    return next((command for command in ENDLESS if command in block), None)


class Terminals:
    """A copy of the project, and a shell in it for each block; what runs on is stopped at the end."""

    def __init__(self, folder: Path) -> None:
        self.project = copy_project(folder / "project")
        self.ports = {port: str(free_port()) for port in PORTS}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.log = folder / "terminals.log"
        venv = self.project / ".venv" / "bin"
        self.env = clean_environment(
            PATH=f"{venv}:{os.environ['PATH']}:/usr/sbin:/usr/local/sbin",
            FNHOST_LISTEN=f"127.0.0.1:{self.ports['5888']}",
            FNHOST_URL=f"http://127.0.0.1:{self.ports['5888']}",
            FNHOST_STATE=str(folder / "state"),
        )

    def type(self, block: str) -> str:
        """What the block prints; every command of it must succeed."""
        done = subprocess.run(
            self._shell(block),
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}\n{self.log.read_text()}"
        return done.stdout

    def start(self, block: str) -> None:
        """Type a block that runs on, and wait until it listens if it does."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self._shell(re.sub(r"^((?:\w+=\w+ )*)", r"\1exec ", block)),
                cwd=self.project,
                env=self.env,
                stdout=log,
                stderr=log,
            )
        self.running[block] = process
        port = ENDLESS[endless(block) or ""]
        if port is not None:
            wait_until(lambda: process.poll() is not None or self._listens(port), f"{block} listens")
            assert process.poll() is None, self.log.read_text()

    def is_running(self, command: str) -> bool:
        """Whether one of this kind was started and not stopped."""
        return any(endless(block) == command for block in self.running)

    def stop(self, commands: Collection[str]) -> dict[str, int]:
        """End what runs of these, the last first; returns their exit codes."""
        codes = {}
        for block in reversed([block for block in self.running if endless(block) in commands]):
            process = self.running.pop(block)
            process.terminate()
            codes[block] = process.wait(PATIENCE)
        return codes

    def _listens(self, port: str) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", int(self.ports[port])), timeout=1):
                return True
        except OSError:
            return False

    def _shell(self, block: str) -> list[str]:
        for port, own in self.ports.items():
            block = re.sub(rf"\b{port}\b", own, block)
        return ["bash", "-e", "-c", block.replace("fake serve", f"fake serve --port {self.ports['18080']}")]


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    made = Terminals(tmp_path)
    yield made
    made.stop(ENDLESS)


def stop_ours(terminals: Terminals, commands: Collection[str]) -> None:
    """Whatever of us is told to stop ends with exit code 0."""
    ended = terminals.stop(commands)
    assert set(ended.values()) == {0}, f"{ended}\n{terminals.log.read_text()}"


def test_the_walk_through_goes_as_written(terminals: Terminals) -> None:
    printed = ""
    for block in blocks():
        command = endless(block)
        if command is None:
            printed += terminals.type(block)
            continue
        if command == "fnhost serve" and terminals.is_running(command):
            stop_ours(terminals, HOST_AND_BRIDGES)
        terminals.start(block)
    stop_ours(terminals, (*HOST_AND_BRIDGES, "fnhost fake serve"))
    lines = printed.splitlines()
    cars = [json.loads(line) for line in lines if line.startswith('{"temperature"')]
    assert len(cars) == 2
    for car in cars:
        assert 40 <= car["temperature"] <= 80
        assert car["payload"].endswith("}\n") and '"type"' in car["payload"]
    assert '"1"' in lines or '"0"' in lines
    assert '"deviceInfo"' in printed
    assert '"hello world!"' in printed
    assert "sub_process_line1_industry_0" in printed and "sub_process_line1_test_1" in printed
