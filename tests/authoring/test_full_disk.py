"""What the author's verbs say where a disk is full, and that they leave nothing half-written there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import fnhost
from tests.torture.disk import Disk

FREE = "free some of it"


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk without room."""
    disk = Disk(tmp_path / "full")
    if disk.why_not:
        pytest.skip(disk.why_not)
    (tmp_path / "full" / "empty").mkdir()
    disk.fill()
    yield tmp_path / "full"
    disk.unmount()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """One that is in order."""
    (tmp_path / "trend" / "samples").mkdir(parents=True)
    (tmp_path / "trend" / "samples" / "a.json").write_text("{}")
    (tmp_path / "trend" / "index.py").write_text("def index(event, context): return event\n")
    return tmp_path / "trend"


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["hello", "empty"])
def test_init_names_the_disk_and_removes_what_it_made(
    full: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(full)
    result = fnhost("", "init", name)
    assert result.exit_code == 2
    assert f"the disk of {full} is full: {FREE}" in result.stderr
    assert entries(full) == ["ballast", "empty"]


def test_package_names_the_disk_of_its_target(full: Path, package: Path) -> None:
    result = fnhost("", "package", str(package), "-o", str(full / "x.zip"))
    assert result.exit_code == 1
    assert f"the disk of {full} is full: {FREE}" in result.stderr and "-o" in result.stderr
    assert entries(full) == ["ballast", "empty"]


@pytest.mark.parametrize("verb", ["package", "check", "test", "dev", "deploy"])
def test_a_full_disk_of_temporary_files_is_named(
    full: Path, package: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(full))
    monkeypatch.chdir(package.parent)
    result = fnhost("", verb, "trend")
    assert result.exit_code != 0
    said = f"the disk of {full} is full: {FREE}, or set TMPDIR to another disk"
    assert said in result.stdout + result.stderr
    assert entries(full) == ["ballast", "empty"] and not (package.parent / "trend.zip").exists()
