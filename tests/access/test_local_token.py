"""The command line finds its host's token, and sends it to nobody else."""

import socket
import stat
from pathlib import Path

import pytest

from host.access.local_token import LocalToken, find_local_token, run_folders
from host.neighbours import find_hosts
from host.state import StateDir


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    return {"XDG_RUNTIME_DIR": str(run)}


def local(tmp_path: Path, env: dict[str, str], *addresses: tuple[str, int], token: str = "one") -> LocalToken:
    """A host's local token, written."""
    state = tmp_path / f"state-{token}"
    state.mkdir()
    files = LocalToken(token, state, env)
    files.write(addresses)
    return files


def test_the_files_are_for_one_user_and_go_with_the_host(tmp_path: Path, env: dict[str, str]) -> None:
    files = local(tmp_path, env, ("127.0.0.1", 5888), ("127.0.0.1", 8080))
    written = [
        tmp_path / "state-one/local.token",
        *(run_folders(env)[0] / f"{port}.token" for port in (5888, 8080)),
    ]
    assert [stat.S_IMODE(file.stat().st_mode) for file in written] == [0o600] * 3
    assert stat.S_IMODE(run_folders(env)[0].stat().st_mode) == 0o700
    local(tmp_path, env, ("127.0.0.1", 8080), token="two")
    files.remove()
    assert [file.exists() for file in written] == [False, False, True]


@pytest.mark.parametrize(
    ("listens", "url", "found"),
    [
        ("127.0.0.1", "http://127.0.0.1:5888", "http://127.0.0.1:5888"),
        ("127.0.0.1", "http://localhost:5888/", "http://127.0.0.1:5888/"),
        ("localhost", "http://localhost:5888", "http://127.0.0.1:5888"),
        ("127.0.0.1", "https://localhost:5888", "https://localhost:5888"),
        ("0.0.0.0", "http://127.0.0.1:5888", "http://127.0.0.1:5888"),
        ("::1", "http://[::1]:5888", "http://[::1]:5888"),
        ("127.0.0.1", "http://127.0.0.1:5889", None),
        ("127.0.0.1", "http://127.0.0.2:5888", None),
        ("127.0.0.1", "http://[::1]:5888", None),
        ("::1", "http://localhost:5888", None),
        ("127.0.0.1", "http://127.0.0.1", None),
    ],
)
def test_only_the_address_that_the_host_has_is_sent_the_token(
    listens: str, url: str, found: str | None, tmp_path: Path, env: dict[str, str]
) -> None:
    local(tmp_path, env, (listens, 5888))
    answer = find_local_token(url, env)
    assert (answer.url if answer else None) == found
    assert answer is None or answer.token == "one"


def test_a_file_that_others_could_have_written_is_not_read(tmp_path: Path, env: dict[str, str]) -> None:
    local(tmp_path, env, ("127.0.0.1", 5888))
    run_folders(env)[0].chmod(0o770)
    assert find_local_token("http://127.0.0.1:5888", env) is None


def test_a_user_without_a_home_goes_on_without_it(
    tmp_path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    assert run_folders(env)[0] == tmp_path / "run" / "fnhost"
    assert StateDir(tmp_path).uv_cache() == tmp_path / "uv-cache"


def test_a_host_with_tls_says_so_to_who_looks_for_it(tmp_path: Path, env: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        files = LocalToken("one", tmp_path, env, has_tls=True)
        files.write([("127.0.0.1", port)])
        url = f"https://127.0.0.1:{port}"
        assert find_hosts(env)[url] == "one"
        assert find_local_token(url, env) is not None
