"""The commands of the Makefile set up what they need, once, and say what they cannot have."""

import subprocess
from pathlib import Path

import pytest

from tests.project.tree import clean_environment, copy_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy that is set up; tests here do not change it."""
    return copy_project(tmp_path_factory.mktemp("made") / "project")


def make(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `make` there."""
    command = ["make", *words]
    return subprocess.run(
        command, cwd=project, env=clean_environment(), capture_output=True, text=True, check=False, timeout=60
    )


def programs(folder: Path, **scripts: str) -> str:
    """A PATH on which there are these programs only, as shell scripts."""
    folder.mkdir()
    for name, script in scripts.items():
        file = folder / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
    return f"PATH={folder}"


def test_what_is_set_up_is_not_set_up_again(project: Path) -> None:
    done = make(project, "venv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "pip" not in done.stdout and "installing" not in done.stdout


def test_another_pyproject_means_to_set_up_again(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    (project / ".venv" / ".ready").unlink()
    assert "-m pip install" in make(project, "--dry-run", "demo").stdout


@pytest.mark.parametrize(
    ("words", "recipe"),
    [
        (["demo"], ".venv/bin/fnhost demo"),
        (["demo", "ONCE=1"], ".venv/bin/fnhost demo --once"),
        (["bench"], ".venv/bin/python -m tests.bench"),
        (["fuzz", "FUZZ_SECONDS=60"], ".venv/bin/python -m tests.fuzz --seconds 60"),
        (["lint"], ".venv/bin/mypy"),
        (["screenshots", "ONLY=flow"], ".venv/bin/python -m tests.screenshots --only flow"),
    ],
)
def test_a_command_runs_from_the_venv(project: Path, words: list[str], recipe: str) -> None:
    assert recipe in [line.strip() for line in make(project, "--dry-run", *words).stdout.splitlines()]


def test_a_python_that_is_too_old_is_told(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    (project / ".venv" / ".ready").unlink()
    done = make(project, "demo", programs(tmp_path / "bin", python3="exit 1"))
    assert done.returncode != 0
    assert done.stderr.startswith("fnhost needs Python 3.11 or newer, and there is none on the PATH")


def test_a_missing_mosquitto_is_told_to_who_may_not_install_it(project: Path, tmp_path: Path) -> None:
    done = make(project, "mosquitto", programs(tmp_path / "bin", id="echo 1000", apt_get="exit 9"))
    assert done.returncode != 0
    assert done.stderr.startswith("the tests need a real mosquitto: install it first")


def test_a_missing_mosquitto_is_installed_where_that_is_allowed(project: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    path = programs(tmp_path / "bin", id="echo 0", apt_get=f'echo "$1" >>{calls}')
    done = make(project, "mosquitto", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "mosquitto: installing Debian's\n", "")
    assert calls.read_text().split() == ["update", "install"]


def test_a_mosquitto_that_cannot_be_installed_is_told(project: Path, tmp_path: Path) -> None:
    done = make(project, "mosquitto", programs(tmp_path / "bin", id="echo 0", apt_get="exit 100"))
    assert done.returncode != 0
    assert "mosquitto could not be installed with apt-get: install it by hand" in done.stderr


@pytest.mark.parametrize(("code", "closing"), [(0, "== 3 passed in 1s =="), (1, "== 1 failed in 1s ==")])
def test_ci_ends_with_the_closing_line_and_the_verdict_of_pytest(
    tmp_path: Path, code: int, closing: str
) -> None:
    project = copy_project(tmp_path / "project")
    python = project / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\necho "$@"\necho "{closing}"\nexit {code}\n')
    env = {**clean_environment(), "PATH": f"{_mosquitto_stub(tmp_path)}:/usr/bin:/bin"}
    done = subprocess.run(
        [project / ".ci" / "run"], env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert bool(done.returncode) == bool(code)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("-m pytest ") and lines[-1] == closing
    assert done.stderr == ""


def _mosquitto_stub(folder: Path) -> Path:
    programs(folder / "stub", mosquitto="exit 1")
    return folder / "stub"
