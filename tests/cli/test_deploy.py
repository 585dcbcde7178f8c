"""`fnhost deploy`."""

import errno
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import environment, fnhost, on_terminal
from tests.cli.stub_host import StubHost

DEPLOY = "POST /api/functions"
STEPS: list[dict[str, Any]] = [
    {"type": "step", "step": "unpack", "message": "3 files"},
    {"type": "step", "step": "environment", "message": "1 requirement"},
    {"type": "log", "line": "Resolved 1 package\x1b[0m"},
    {"type": "note", "line": "model.pkl imports shelves"},
]
DONE = {
    "type": "done",
    "function": "industry",
    "revision": 2,
    "sha256": "ab",
    "unchanged": False,
    "seconds": 1.24,
}
ERROR = {
    "type": "error",
    "status": 422,
    "title": "Build failed",
    "detail": "nonsuch==1 cannot be had",
    "stack": [],
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A zip; the stub does not look into it."""
    path = tmp_path / "industry.zip"
    path.write_bytes(b"PK" * 100_000)
    return path


@pytest.fixture
def deploying(stub: StubHost) -> StubHost:
    """A host that takes every package."""
    stub.prepare_lines(DEPLOY, [*STEPS, DONE])
    return stub


def test_a_zip_is_sent_with_its_name_as_default(deploying: StubHost, package: Path) -> None:
    result = fnhost(deploying.url, "deploy", str(package))
    assert (result.exit_code, result.stdout) == (0, "industry@2 is live after 1.2 s\n")
    told = ["unpack: 3 files", "environment: 1 requirement", "note: model.pkl imports shelves"]
    assert result.stderr.splitlines() == told
    (seen,) = deploying.seen
    assert (seen.query, seen.body) == ({"default_name": "industry"}, package.read_bytes())
    assert seen.headers["content-type"] == "application/zip"
    assert seen.headers["content-length"] == str(package.stat().st_size)


def test_a_name_given_wins(deploying: StubHost, package: Path) -> None:
    fnhost(deploying.url, "deploy", str(package), "--name", "工业")
    assert deploying.seen[0].query == {"name": "工业"}


def test_a_folder_is_sent_as_a_zip(deploying: StubHost, tmp_path: Path) -> None:
    folder = tmp_path / "model.v2"
    folder.mkdir()
    (folder / "index.py").write_text("def index(event, context): return event\n")
    assert fnhost(deploying.url, "deploy", str(folder)).exit_code == 0
    (seen,) = deploying.seen
    assert seen.query == {"default_name": "model.v2"}
    with zipfile.ZipFile(io.BytesIO(seen.body)) as package:
        assert package.namelist() == ["index.py"]


def test_a_folder_that_cannot_be_packed_is_refused(deploying: StubHost, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "index.py").symlink_to("/etc/passwd")
    result = fnhost(deploying.url, "deploy", str(folder))
    assert result.exit_code == 5
    assert "index.py" in result.stderr
    assert deploying.seen == []


def test_json_is_the_hosts_last_word(deploying: StubHost, package: Path) -> None:
    assert json.loads(fnhost(deploying.url, "deploy", str(package), "-o", "json").stdout) == DONE


def test_the_same_package_again_is_said_to_be_live_already(stub: StubHost, package: Path) -> None:
    stub.prepare_lines(DEPLOY, [{**DONE, "unchanged": True}])
    assert "is live already" in fnhost(stub.url, "deploy", str(package)).stdout


def test_a_build_that_failed_is_told_with_the_last_lines_of_its_log(stub: StubHost, package: Path) -> None:
    lines = [{"type": "log", "line": f"line {n}"} for n in range(30)]
    stub.prepare_lines(DEPLOY, [*STEPS, *lines, ERROR])
    result = fnhost(stub.url, "deploy", str(package))
    assert (result.exit_code, result.stdout) == (5, "")
    assert "line 9\n" not in result.stderr
    assert result.stderr.endswith("  line 28\n  line 29\nError: nonsuch==1 cannot be had\n")


def test_a_package_that_does_not_start_is_told_with_its_stack(stub: StubHost, package: Path) -> None:
    error = {**ERROR, "detail": "SyntaxError in index.py:3", "stack": ['  File "index.py", line 3\n']}
    stub.prepare_lines(DEPLOY, [error])
    assert fnhost(stub.url, "deploy", str(package)).stderr == (
        'Error: SyntaxError in index.py:3\n  File "index.py", line 3\n'
    )


@pytest.mark.parametrize(("status", "code"), [(400, 5), (413, 5), (422, 5), (429, 6), (503, 6)])
def test_a_refusal_before_the_build_has_an_exit_code_by_cause(
    stub: StubHost, package: Path, status: int, code: int
) -> None:
    stub.prepare(DEPLOY, {"status": status, "detail": "entry ../x leaves the package"}, status)
    result = fnhost(stub.url, "deploy", str(package))
    assert (result.exit_code, result.stderr) == (code, "Error: entry ../x leaves the package\n")


def test_a_deploy_that_breaks_off_is_an_unreachable_host(stub: StubHost, package: Path) -> None:
    stub.prepare_lines(DEPLOY, STEPS)
    result = fnhost(stub.url, "deploy", str(package))
    assert result.exit_code == 3
    assert "broke off" in result.stderr


def test_a_path_that_is_not_there_is_wrong_usage(stub: StubHost) -> None:
    assert fnhost(stub.url, "deploy", "nowhere.zip").exit_code == 2


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_sees_steps_and_log_and_colours_unless_told_otherwise(
    deploying: StubHost, package: Path, variables: dict[str, str], coloured: bool
) -> None:
    env = environment(FNHOST_URL=deploying.url, **variables)
    code, seen = on_terminal(["deploy", str(package)], env)
    assert code == 0
    assert "unpack: 3 files" in seen
    assert "Resolved 1 package\\x1b[0m" in seen
    assert ("\x1b[32m" in seen) is coloured
    assert seen.rstrip().endswith("industry@2 is live after 1.2 s")


def test_a_file_that_cannot_be_read_is_named(
    deploying: StubHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path, target: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder / "index.py"))

    monkeypatch.setattr("functions.package.pack_folder", fail)
    result = fnhost(deploying.url, "deploy", str(tmp_path))
    assert result.exit_code == 5 and not deploying.seen
    assert f"Error: {tmp_path}/index.py cannot be packed (Permission denied)" in result.stderr
