"""A host with a neighbour under steady load, and what must hold after each attack on it."""

import json
import shutil
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.hosts import PATIENCE, Files, RunningHost, wait_until

NEIGHBOUR = {
    "index.py": """
import os
def index(event, context):
    kept = open(os.path.join(context.package_dir, "kept.txt")).read()
    return {"n": event["n"], "pid": os.getpid(), "kept": kept}
""",
    "kept.txt": "as it was",
    "function.yaml": "timeout: 10s\nscale: {min: 1, max: 1}\n",
}
PROBES = (Path(__file__).parent / "probes.py").read_text(encoding="utf-8")
DAEMON = "harm-daemon"
PACE = 0.02
"""Seconds between two events for the neighbour."""


@dataclass
class SteadyLoad:
    """Sends the neighbour one event after another; `seen` counts the statuses of its answers."""

    seen: Counter[str] = field(default_factory=Counter)
    url: str = ""
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self, url: str) -> None:
        """Begin."""
        self.url = url
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with httpx.Client(timeout=30, trust_env=False) as client:
            number = 0
            while not self._over.wait(PACE):
                number += 1
                self.seen[self._send(client, number)] += 1

    def _send(self, client: httpx.Client, number: int) -> str:
        try:
            answer = client.post(f"{self.url}/invoke/neighbour", json={"n": number})
            right = answer.status_code == 200 and answer.json()["n"] == number
            return "right" if right else f"{answer.status_code}: {answer.json().get('detail')}"
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}"

    def await_more(self, count: int = 3) -> None:
        """Wait until so many more events have been answered."""
        wanted = self.seen["right"] + count
        wait_until(lambda: self.seen["right"] >= wanted or self.failures(), "the neighbour answers")

    def failures(self) -> list[str]:
        """What went wrong, if anything."""
        return [seen for seen in self.seen if seen != "right"]

    def stop(self) -> None:
        """No more events."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(60)


class Siege:
    """One host, its neighbour, and functions that mean harm; `folder` is reachable for every user."""

    def __init__(self, folder: Path, config: str | None = None) -> None:
        self.folder = folder
        self.canary = folder / "canary"
        self.canary.write_text("sings", encoding="utf-8")
        self.canary.chmod(0o666)
        (folder / "host").mkdir()
        self.host = RunningHost(folder / "host", config, forked=False)
        # A connection that is kept may be the idle one that the host closes to make room.
        self.host.client = httpx.Client(
            timeout=PATIENCE,
            limits=httpx.Limits(max_keepalive_connections=0),
            event_hooks=self.host.client.event_hooks,
        )
        self.load = SteadyLoad()

    def begin(self) -> None:
        """Start the host, its neighbour, and the neighbour's load."""
        self.host.start()
        deployed = self.host.deploy(NEIGHBOUR, "neighbour")
        assert deployed.get("type") == "done", deployed
        self.load.start(self.host.url)
        self.load.await_more()

    def neighbour_pid(self) -> int:
        """The neighbour's one instance."""
        return int(self.host.invoke("neighbour", {"n": 0}).json()["pid"])

    def host_memory(self) -> int:
        """What the host itself holds, in bytes."""
        return int(psutil.Process(self.host.process.pid).memory_info().rss)

    @contextmanager
    def attacker(self, files: Files, name: str = "attacker") -> Iterator["Attacker"]:
        """Deploy a package with `probes.py` beside its files; after it nothing may have changed."""
        before = self._places()
        deployed = self.host.deploy({"probes.py": PROBES, **files}, name)
        assert deployed.get("type") == "done", deployed
        yield Attacker(self, name)
        self.check_unharmed()
        self.host.client.delete(f"{self.host.url}/api/functions/{name}").raise_for_status()
        wait_until(
            lambda: not processes_of(self.host, name), f"nothing of it runs: {processes_of(self.host, name)}"
        )
        assert self._places() == before, "something was written elsewhere"

    def check_unharmed(self) -> None:
        """The host lives and answers, and the neighbour has missed nothing."""
        assert self.host.process.poll() is None, self.host.log()
        assert self.host.client.get(f"{self.host.url}/livez").status_code == 200
        self.load.await_more()
        assert not self.load.failures(), self.load.seen
        assert self.canary.read_text(encoding="utf-8") == "sings"
        assert "Traceback" not in self.host.log(), self.host.log()

    def _places(self) -> dict[str, Any]:
        """What lies where no function has any business: names in shared folders, contents of ours."""
        ours = [path for path in self.host.state.glob("packages/*/**/*") if path.is_file()]
        neighbour = {str(path): path.read_bytes() for path in ours if path.name == "kept.txt"}
        shared = {path.name for path in Path("/dev/shm").iterdir()}
        return {"neighbour": neighbour, "canary": self.canary.read_bytes(), "shm": shared & {"harm", "harm2"}}

    def close(self) -> None:
        """End it all; nothing of it may be left."""
        self.load.stop()
        self.host.close()


@dataclass(frozen=True)
class Attacker:
    """A deployed function that means harm."""

    siege: Siege
    name: str

    def attack(self, event: Mapping[str, Any] | None = None, timeout: float = 60) -> httpx.Response:
        """Send it an event."""
        return self.siege.host.invoke(self.name, dict(event or {}), timeout=timeout)

    def tries(self, event: Mapping[str, Any] | None = None) -> dict[str, str]:
        """Send it an event; its answer says by name what became of each thing it tried."""
        answer = self.attack(event)
        assert answer.status_code == 200, answer.text
        told: dict[str, str] = answer.json()
        return told

    def logs(self) -> str:
        """All that it printed."""
        return "\n".join(line["text"] for line in self.siege.host.logs(self.name))


def processes_of(host: RunningHost, name: str) -> list[str]:
    """Processes that a function has started, by the host's mark, or by the name that daemons of ours take."""
    mark = (host.state / "owner").read_text(encoding="utf-8").strip()
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            told = process.environ()
            marks = (told.get("FNHOST_OWNER"), told.get("FNHOST_FUNCTION"))
            if process.name() == DAEMON or marks == (mark, name):
                found.append(f"{process.pid} {process.name()}")
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="fnhost-siege-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def explain(told: Mapping[str, str]) -> str:
    """What was tried, for an assertion's message."""
    return json.dumps(told, indent=1, ensure_ascii=False)


def wait_for_line(attacker: Attacker, text: str, patience: float = 30) -> None:
    """Wait until it has printed this."""
    wait_until(lambda: text in attacker.logs(), f"it printed {text!r}", patience)
