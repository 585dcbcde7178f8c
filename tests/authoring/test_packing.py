"""`fnhost package`: zips that are the same for the same files, with all that their environment needs."""

import hashlib
import os
import signal
import socket
import subprocess
import zipfile
from pathlib import Path

import pytest

from host.authoring.wheels import pip_variables
from tests.cli.running import DEADLINE, command, environment, fnhost
from tests.functions.wheelhouse import make_wheel
from tests.heeding import heed_signals

FILES = {
    "index.py": "def index(event, context): return event\n",
    "samples/a.json": "{}",
    "data/table.csv": "1,2\n",
    ".git/config": "",
    ".venv/bin/python": "",
    "__pycache__/index.cpython-311.pyc": "",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write(tmp_path / "trend", FILES)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_the_same_files_give_the_same_bytes(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = fnhost("", "package", "trend")
    digest = hashlib.sha256((tmp_path / "trend.zip").read_bytes()).hexdigest()
    size = (tmp_path / "trend.zip").stat().st_size
    assert (result.exit_code, result.stdout) == (0, f"trend.zip: {size} bytes, 3 files, sha256 {digest}\n")
    with zipfile.ZipFile("trend.zip") as archive:
        assert archive.namelist() == ["data/table.csv", "index.py", "samples/a.json"]
    again = write(tmp_path / "elsewhere" / "trend", dict(reversed(FILES.items())))
    os.utime(again / "index.py", (0, 0))
    assert fnhost("", "package", str(again), "-o", "new/again.zip").exit_code == 0
    assert (tmp_path / "new" / "again.zip").read_bytes() == (tmp_path / "trend.zip").read_bytes()


def test_wheels_come_with_it_so_that_no_index_is_asked(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(tmp_path / "index", "gauge", "1.0", requires="scale>=2")
    make_wheel(tmp_path / "index", "scale", "2.1")
    (package / "requirements.txt").write_text("gauge\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    target = tmp_path / "trend.zip"
    result = fnhost("", "package", str(package), "--with-wheels", "-o", str(target))
    assert result.exit_code == 0, result.stderr
    assert "6 files, 2 of them wheels" in result.stdout
    with zipfile.ZipFile(target) as archive:
        assert {"wheels/gauge-1.0-py3-none-any.whl", "wheels/scale-2.1-py3-none-any.whl"} < set(
            archive.namelist()
        )
    assert not (package / "wheels").exists()
    checked = fnhost("", "check", str(target))
    assert (checked.exit_code, checked.stdout) == (0, "trend: a host would take it\n")


def test_wheels_that_are_there_already_are_enough_without_any_index(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(package / "wheels", "gauge", "1.0")
    (package / "requirements.txt").write_text("gauge\n")
    for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    result = fnhost("", "package", str(package), "--with-wheels", "-o", str(tmp_path / "trend.zip"))
    assert result.exit_code == 0, result.stderr
    assert "1 of them wheels" in result.stdout


def test_a_requirement_without_a_wheel_is_named(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "requirements.txt").write_text("nonsuch\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    target = tmp_path / "trend.zip"
    result = fnhost("", "package", str(package), "--with-wheels", "-o", str(target))
    assert result.exit_code == 1 and not target.exists()
    assert "Error: the wheels cannot be fetched: No matching distribution found for nonsuch" in result.stderr


def test_what_is_too_large_is_refused_with_its_biggest_files(package: Path, tmp_path: Path) -> None:
    (package / "model.bin").write_bytes(os.urandom(3_000_000))
    (package / ".cache").write_bytes(bytes(4_000_000))
    config = tmp_path / "config.yaml"
    config.write_text("limits: {package: 1MiB}\n")
    target = tmp_path / "trend.zip"
    target.write_text("before")
    words = ["package", str(package), "-o", str(target), "--config", str(config)]
    result = fnhost("", *words)
    assert result.exit_code == 5
    assert "(`limits.package`); its biggest files are model.bin (2.9 MiB), " in result.stderr
    assert target.read_text() == "before"


def test_a_zip_inside_of_its_own_package_is_not_written(package: Path) -> None:
    result = fnhost("", "package", str(package), "-o", str(package / "a.zip"))
    assert result.exit_code == 1 and "lies inside of the package" in result.stderr


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ({"UV_DEFAULT_INDEX": "https://a/simple"}, {"PIP_INDEX_URL": "https://a/simple"}),
        ({"UV_INDEX": "own=https://a https://b?c=d"}, {"PIP_EXTRA_INDEX_URL": "https://a https://b?c=d"}),
        ({"UV_DEFAULT_INDEX": "https://a", "PIP_INDEX_URL": "https://b"}, {"PIP_INDEX_URL": "https://b"}),
        ({"SECRET": "x"}, {}),
    ],
)
def test_pip_knows_the_indexes_of_uv(told: dict[str, str], known: dict[str, str]) -> None:
    assert pip_variables(told) == known


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_nothing_is_left_when_it_is_ended_while_it_fetches(
    package: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (package / "requirements.txt").write_text("gauge\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as index:
        index.settimeout(DEADLINE)
        url = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        env = environment(TMPDIR=str(temporary), PIP_INDEX_URL=url)
        words = command("package", str(package), "--with-wheels", "-o", str(tmp_path / "trend.zip"))
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(words, env=env, stderr=quiet, preexec_fn=heed_signals)
        try:
            asked, _ = index.accept()
            with asked:
                process.send_signal(number)
                assert process.wait(DEADLINE) == 128 + number
        finally:
            process.kill()
            process.wait()
    assert [each.name for each in temporary.iterdir() if each.name.startswith("fnhost")] == []
