"""Our host as one of those that are measured, with the measured function deployed."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.bench.part import UnmeasuredError
from tests.bench.servers import answers_rightly
from tests.bench.shots import Target
from tests.hosts import RunningHost, wait_until

CODE = Path(__file__).parent / "subject" / "index.py"
ONE, TWO = "fnhost, 1 instance", "fnhost, 2 instances"
LONGEST = 150
"""Characters of what the host says against it, which the report has in one line."""
INSTANCES = {ONE: 1, TWO: 2}


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
    """Deploy a package of one module; raises UnmeasuredError with what the host says against it."""
    told = host.deploy({"index.py": code, "function.yaml": manifest, "requirements.txt": needs}, name)
    if told.get("type") != "done":
        raise UnmeasuredError(f"the host does not deploy {name}: {str(told.get('detail') or told)[:LONGEST]}")


def scale(host: RunningHost, name: str, instances: int | None) -> None:
    """Fix the number of instances, or give it back to the autoscaler (None)."""
    told = host.client.post(f"{host.url}/api/functions/{name}/scale", json={"instances": instances})
    if not told.is_success:
        raise UnmeasuredError(f"the host does not scale {name} to {instances}: {told.text[:LONGEST]}")


def cool(host: RunningHost, name: str) -> None:
    """Let the function be warm: its arbiter runs and has loaded the package, and there is no instance.

    From then on the host decides again how many it needs.
    """
    scale(host, name, 0)
    wait_until(lambda: not host.describe(name)["instances_detail"], f"{name} has no instance")
    scale(host, name, None)


def deploy_target(host: RunningHost, name: str) -> Target:
    """Deploy the measured function with one instance or two (`ONE`, `TWO`)."""
    function, instances = f"threshold{INSTANCES[name]}", INSTANCES[name]
    manifest = f"scale: {{min: {instances}, max: {instances}}}\n"
    deploy(host, function, CODE.read_text(encoding="utf-8"), manifest)
    return target_of(host, name)


def target_of(host: RunningHost, name: str) -> Target:
    """The measured function of a host that runs, when it has its instances."""
    function, instances = f"threshold{INSTANCES[name]}", INSTANCES[name]
    wait_until(lambda: host.describe(function)["instances"] == instances, f"{function} has its instances")
    target = Target(name, f"{host.url}/invoke/{function}", host.process.pid)
    assert answers_rightly(target.url)
    return target
