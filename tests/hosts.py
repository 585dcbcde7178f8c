"""A real host in a process of its own, for tests: start it, deploy to it, invoke it, stop or kill it."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import httpx
import psutil
import pytest

from runtime.leftovers import MARKER, kill_leftovers
from tests.forked import Forked, Nursery, Start

PATIENCE = 120.0
ROOT = Path(__file__).parent.parent

Files = Mapping[str, str | bytes]
StartHost = Callable[..., "RunningHost"]


def zip_of(files: Files) -> bytes:
    """A package's zip, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def wait_until(true: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait for `true()` to become so, and return what it returned; fails with `what` at the deadline."""
    deadline = time.monotonic() + patience
    while not (value := true()):
        assert time.monotonic() < deadline, f"after {patience:g} s still not: {what}"
        time.sleep(0.01)
    return value


class RunningHost:
    """`fnhost serve` on a free port with a state folder below `folder`; `stop` or `kill` ends it.

    While there is a `nursery`, as in all runs of pytest, its start is a fork unless that is not wanted.
    """

    nursery: ClassVar[Nursery | None] = None

    def __init__(
        self,
        folder: Path,
        config: str | None = None,
        env: Mapping[str, str] | None = None,
        *,
        forked: bool = True,
    ) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.log_file = folder / "host.log"
        self.listen = "127.0.0.1:0"
        self._config = config
        self._forked = forked
        self._env = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
        self.process: subprocess.Popen[bytes] | Forked
        self.url = ""
        self._token = ""
        self.client = httpx.Client(timeout=PATIENCE, event_hooks={"request": [self._open]})

    def start(self) -> "RunningHost":
        """Start it (again, with the same state), and wait until it listens."""
        words = ["serve", "--state", str(self.state), "--listen", self.listen]
        if self._config is not None:
            file = self.folder / "config.yaml"
            file.write_text(self._config, encoding="utf-8")
            words += ["--config", str(file)]
        self.log_file.touch()
        started_at = self.log_file.stat().st_size
        self.process = self._start(words)
        self.url = wait_until(lambda: self._read_address(started_at), "the host says where it listens")
        self._token = self.local_token()
        return self

    def _start(self, words: list[str]) -> subprocess.Popen[bytes] | Forked:
        if self.nursery is not None and self._forked:
            return self.nursery.start(Start(words, self._env, str(self.folder), str(self.log_file)))
        command = [sys.executable, "-m", "host.cli", *words]
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                command, stdout=log, stderr=log, env=self._env, cwd=self.folder, start_new_session=True
            )

    def _read_address(self, start: int) -> str:
        text = self.log_file.read_bytes()[start:].decode()
        assert self.process.poll() is None, text
        _, found, rest = text.partition("fnhost listens on ")
        return rest.split(",")[0] if found and "," in rest else ""

    def _open(self, request: httpx.Request) -> None:
        """Send the local token to the API; functions are invoked as by anybody."""
        if request.url.path.startswith("/api/"):
            request.headers.setdefault("authorization", f"Bearer {self._token}")

    def local_token(self) -> str:
        """What this user may do everything with; each start makes a new one."""
        return (self.state / "local.token").read_text().strip()

    def log(self) -> str:
        """All that the host has said."""
        return self.log_file.read_text(encoding="utf-8")

    def deploy(self, files: Files, name: str) -> dict[str, Any]:
        """Deploy a package made of these files; returns the closing line, whatever it says."""
        return self.deploy_zip(zip_of(files), name)[-1]

    def deploy_zip(self, content: bytes, name: str | None = None) -> list[dict[str, Any]]:
        """Deploy a zip; returns every line that was told, or the problem if it was refused at once."""
        params = {"name": name} if name else {}
        answer = self.client.post(f"{self.url}/api/functions", params=params, content=content)
        if answer.status_code != 200:
            return [answer.json()]
        return [json.loads(line) for line in answer.text.splitlines()]

    def invoke(self, target: str, body: bytes | str | dict[str, Any] = b"", **options: Any) -> httpx.Response:
        """POST an event; a dict is sent as JSON."""
        if isinstance(body, dict):
            options.setdefault("headers", {"content-type": "application/json"})
            body = json.dumps(body)
        return self.client.post(f"{self.url}/invoke/{target}", content=body, **options)

    def describe(self, name: str) -> dict[str, Any]:
        """The function as the API shows it."""
        shown: dict[str, Any] = self.client.get(f"{self.url}/api/functions/{name}").json()
        return shown

    def logs(self, name: str) -> list[dict[str, Any]]:
        """The function's log lines."""
        answer = self.client.get(f"{self.url}/api/functions/{name}/logs", params={"tail": "2000"})
        return [json.loads(line) for line in answer.text.splitlines()]

    def processes(self) -> list[psutil.Process]:
        """Every process that carries this host's mark, and the host itself."""
        owner = self.state / "owner"
        mark = owner.read_text().strip() if owner.exists() else "-"
        own = self.process.pid if self.process.poll() is None else -1
        return [each for each in psutil.process_iter() if each.pid == own or _has(each, mark)]

    def stop(self) -> int:
        """SIGTERM, and wait for its end; returns its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it whatever its state, and see that nothing of it is left."""
        self.client.close()
        if self.process.poll() is None:
            self.stop()
        wait_until(lambda: not self.processes(), f"no process of the host is left: {self.processes()}", 20)


def see_none_left(mark: str) -> None:
    """Fail if a process with this mark is left, once those that were killed have had the time to be gone."""
    try:
        wait_until(lambda: not any(_has(each, mark) for each in psutil.process_iter()), "none is left", 20)
    finally:
        kill_leftovers(mark)


def _has(process: psutil.Process, mark: str) -> bool:
    try:
        # That of a zombie cannot be read.
        return process.environ().get(MARKER) == mark
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[StartHost]:
    """Starts hosts that end with the test, without leaving a process behind."""
    running: list[RunningHost] = []

    def start(config: str | None = None, env: Mapping[str, str] | None = None) -> RunningHost:
        folder = tmp_path / f"host{len(running)}"
        folder.mkdir()
        host = RunningHost(folder, config, env)
        running.append(host)
        return host.start()

    yield start
    for host in running:
        host.close()


@pytest.fixture(scope="module")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """One host for all tests of a module that do not harm it; each uses function names of its own."""
    host = RunningHost(tmp_path_factory.mktemp("shared")).start()
    yield host
    host.close()
