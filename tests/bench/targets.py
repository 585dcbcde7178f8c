"""What is measured: a server that answers events, and our host as one of them."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.plan import bodies
from tests.hosts import RunningHost, wait_until

CODE = Path(__file__).parent / "subject" / "index.py"
ONE, TWO = "fnhost, 1 instance", "fnhost, 2 instances"
INSTANCES = {ONE: 1, TWO: 2}


@dataclass(frozen=True)
class Target:
    """A server that answers events at `url`; `pid` is its first process."""

    name: str
    url: str
    pid: int

    def answers_rightly(self) -> bool:
        """Whether it listens; raises AssertionError when it answers anything but what the function says."""
        try:
            told = {name: httpx.post(self.url, content=body, headers=JSON) for name, body in bodies().items()}
        except httpx.ConnectError:
            return False
        assert told["A"].content == b'"1"', told["A"].text
        assert told["B"].json() == json.loads(bodies()["B"]), told["B"].text
        return True


JSON = {"content-type": "application/json"}


@contextlib.contextmanager
def running_host(folder: Path) -> Iterator[RunningHost]:
    """A host of ours with its state below `folder`, without any function."""
    folder.mkdir()
    host = RunningHost(folder)
    try:
        yield host.start()
    finally:
        host.close()


def deploy(host: RunningHost, name: str, code: str, manifest: str = "", needs: str = "") -> None:
    """Deploy a package of one module; raises AssertionError with what the host says against it."""
    told = host.deploy({"index.py": code, "function.yaml": manifest, "requirements.txt": needs}, name)
    assert told["type"] == "done", told


def deploy_targets(host: RunningHost) -> list[Target]:
    """Deploy the measured function twice: with one instance, and with two."""
    return [_deploy_target(host, name, instances) for name, instances in INSTANCES.items()]


def _deploy_target(host: RunningHost, name: str, instances: int) -> Target:
    function = f"threshold{instances}"
    deploy(
        host, function, CODE.read_text(encoding="utf-8"), f"scale: {{min: {instances}, max: {instances}}}\n"
    )
    wait_until(lambda: host.describe(function)["instances"] == instances, f"{function} has its instances")
    target = Target(name, f"{host.url}/invoke/{function}", host.process.pid)
    assert target.answers_rightly()
    return target
