"""Every command of the README does what the README says."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.brokers import free_port
from tests.hosts import PATIENCE, wait_until
from tests.project.tree import ROOT, clean_environment, copy_project

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "127.0.0.1:5888"
SERVER = "fnhost serve"
# They are run elsewhere: the demo by test_demo.py, and the tests are what is running.
RUN_ELSEWHERE = {
    "make demo": ".venv/bin/fnhost demo",
    "make demo ONCE=1": ".venv/bin/fnhost demo --once",
    "make test": ".venv/bin/python -m pytest",
}
CURL = """#!/usr/bin/env python3
import sys, urllib.request
flag, data, url = sys.argv[1:]
assert flag == "-d"
print(urllib.request.urlopen(url, data.encode()).read().decode())
"""


def shell_blocks() -> list[str]:
    """The README's blocks of commands, in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [block for language, block in FENCE.findall(text) if language == "sh"]


class Terminal:
    """A copy of the project, and a shell in it for each block; the host has a port and a state of its own."""

    def __init__(self, folder: Path) -> None:
        self.project = copy_project(folder / "project")
        self.address = f"127.0.0.1:{free_port()}"
        settings = {"LISTEN": self.address, "STATE": str(folder / "state"), "URL": f"http://{self.address}"}
        self.env = clean_environment(**{f"FNHOST_{name}": value for name, value in settings.items()})
        if shutil.which("curl") is None:
            stand_in = self.project / ".venv" / "bin" / "curl"
            stand_in.write_text(CURL)
            stand_in.chmod(0o755)

    def run(self, block: str) -> str:
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
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def serving(self, block: str) -> Iterator[None]:
        """Run a block whose last command is the host, until the end of the `with`."""
        with (self.project / "host.log").open("ab") as log:
            process = subprocess.Popen(
                self._shell(block.replace(SERVER, f"exec {SERVER}")),
                cwd=self.project,
                env=self.env,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(lambda: process.poll() is not None or self._answers(), "the host answers")
            yield
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0, (self.project / "host.log").read_text()

    def _shell(self, block: str) -> list[str]:
        return ["bash", "-e", "-c", block.replace(ADDRESS, self.address)]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://{self.address}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False


@pytest.mark.parametrize("command", RUN_ELSEWHERE)
def test_a_command_that_is_run_elsewhere_is_in_the_readme_and_means_that(
    command: str, tmp_path: Path
) -> None:
    assert f"{command}\n" in shell_blocks()
    terminal = Terminal(tmp_path)
    assert RUN_ELSEWHERE[command] in terminal.run(f"{command} --dry-run")


def test_the_first_minute_goes_as_written(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    printed = ""
    with ExitStack() as host:
        for block in shell_blocks():
            if SERVER in block:
                host.close()
                host.enter_context(terminal.serving(block))
            elif block.strip() not in RUN_ELSEWHERE:
                printed += terminal.run(block)
        token = (tmp_path / "state" / "local.token").read_text().strip()
        described = httpx.get(
            f"http://{terminal.address}/api/functions/industry",
            headers={"authorization": f"Bearer {token}"},
            trust_env=False,
        )
        assert described.status_code == 200
    assert "industry@1 is live after" in printed
    assert printed.count('"temperature"') == 2
    assert "industry: 2 instances wanted" in printed
    assert "temperature " in printed.split("industry: 2 instances wanted")[1]
