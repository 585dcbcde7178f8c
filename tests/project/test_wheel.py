"""The wheel holds all that is needed: installed elsewhere, it serves, deploys and answers."""

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.hosts import RunningHost, wait_until
from tests.project.tree import ROOT, clean_environment, tracked_files

RECORD = '{"type": "Pickup truck", "year": 2020}'


class InstalledHost(RunningHost):
    """The host from a wheel, started outside of the checkout, as the command that was installed."""

    def __init__(self, folder: Path, program: Path) -> None:
        super().__init__(folder)
        self.program = program

    def start(self) -> "InstalledHost":
        """Start it with nothing of the checkout on its path, and wait until it listens."""
        command = [str(self.program), "serve", "--state", str(self.state), "--listen", "127.0.0.1:0"]
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                env=clean_environment(),
                cwd=self.folder,
                start_new_session=True,
            )
        self.url = wait_until(lambda: self._read_address(0), "the host says where it listens")
        return self

    def run(self, *words: str) -> str:
        """Runs another of its commands against it; returns stdout."""
        command = [str(self.program), *words]
        env = clean_environment(FNHOST_URL=self.url)
        done = subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, freshly built."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    return next(folder.glob("fnhost-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[InstalledHost]:
    """A host that runs from the wheel in a venv of its own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    uv = [find_uv_bin(), "--quiet", "--no-python-downloads"]
    subprocess.run([*uv, "venv", "--python", sys.executable, folder / "venv"], check=True, timeout=60)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--python", python, wheel], check=True, timeout=280)
    host = InstalledHost(folder, python.with_name("fnhost"))
    yield host.start()
    host.close()


def test_it_holds_the_five_packages_the_samples_and_the_licence_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    info = next(name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA"))
    tops = {"host", "triggers", "runtime", "functions", "conf", info}
    assert {name.split("/")[0] for name in names} == tops
    shipped = {name for name in tracked_files() if name.split("/")[0] in tops}
    assert {name for name in names if not name.startswith(info)} >= shipped
    assert f"{info}/licenses/LICENSE" in names and f"{info}/entry_points.txt" in names


def test_installed_elsewhere_it_deploys_and_answers(installed: InstalledHost) -> None:
    code = "import functions.sample_packages as s; print(s.sample_path('industry'))"
    python = installed.program.with_name("python")
    sample = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert sample.stdout.startswith(str(installed.folder))
    assert "industry@1 is live" in installed.run("deploy", sample.stdout.strip())
    answer = json.loads(installed.run("invoke", "industry", "-d", RECORD))
    assert answer["payload"] == RECORD and 40 <= answer["temperature"] <= 80
    assert installed.invoke("industry", RECORD).json() == answer
