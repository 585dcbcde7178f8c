"""Old revisions go, with all that they have on disk; what may still be asked for stays."""

import asyncio
from collections.abc import Collection, Iterator
from pathlib import Path

import psutil
import pytest

from functions.manifest import read_manifest
from functions.registry import Registry
from host.deployment.additions import Additions
from host.deployment.catalog import Catalog, Grounds
from host.deployment.collector import Collector, CollectorParts
from host.deployment.files import RevisionFiles
from host.state import StateDir
from runtime.dispatch.dispatcher import Dispatcher
from runtime.overlay import Overlay
from runtime.process import Workshop
from runtime.scaling.memory import Sampler
from runtime.scaling.scaler import Scaler
from tests.hosts import RunningHost, StartHost, wait_until
from triggers.store.failpoints import Failpoints

MANIFEST = read_manifest("").model_dump_json()


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDir]:
    state = StateDir(tmp_path)
    state.lock()
    yield state
    state.unlock()


@pytest.fixture
def registry(state: StateDir) -> Iterator[Registry]:
    registry = Registry(state.registry)
    yield registry
    registry.close()


def add(state: StateDir, registry: Registry, function: str, package: str, *, ready: bool = True) -> int:
    """A revision with its row and its files, as a deploy leaves them."""
    number = registry.add_revision(function, package, MANIFEST)[0].number
    registry.set_state(function, number, "ready" if ready else "failed", None)
    (state.packages / package).mkdir(exist_ok=True)
    state.environment(function, number).mkdir(parents=True)
    state.build_log(function, number).write_text("built")
    return number


def on_disk(state: StateDir) -> tuple[set[str], set[str]]:
    """The packages and the environments that there are."""
    venvs = {f"{path.parts[-3]}@{path.parts[-2]}" for path in state.environments.glob("*/*/venv")}
    return {path.name for path in state.packages.iterdir()}, venvs


async def collect(state: StateDir, registry: Registry, keep: int, awaited: Collection[str] = ()) -> Catalog:
    """Load what is registered and collect it all, as a start of the host does."""
    loop = asyncio.get_running_loop()
    files, failpoints = RevisionFiles(state, registry), Failpoints()
    workshop = Workshop(Overlay(*[state.root] * 3), "nobody", lambda line: None)
    sampler = Sampler(loop)
    scaler = Scaler(loop, sampler, 1)
    catalog = Catalog(
        Grounds(state, registry, files, workshop, Dispatcher(), scaler, Additions(), failpoints)
    )
    catalog.load()

    async def ask() -> Collection[str]:
        return awaited

    await Collector(CollectorParts(catalog, registry, files, ask), keep).collect_all()
    scaler.stop()
    sampler.stop()
    return catalog


def test_the_live_revision_the_last_ready_ones_and_those_that_events_wait_for_stay(
    state: StateDir, registry: Registry
) -> None:
    for number in range(1, 8):
        add(state, registry, "f", f"p{number}")
    add(state, registry, "f", "p8", ready=False)
    add(state, registry, "g", "p1")
    registry.set_alias("f", "live", 3)
    catalog = asyncio.run(collect(state, registry, 2, {"f@2"}))
    assert list(catalog.functions["f"].revisions) == [2, 3, 6, 7, 8]
    assert registry.functions()["f"].revisions == catalog.functions["f"].revisions
    assert on_disk(state) == ({"p1", "p2", "p3", "p6", "p7"}, {"f@2", "f@3", "f@6", "f@7", "g@1"})
    assert state.build_log("f", 8).read_text() == "built"
    assert not state.build_log("f", 1).exists()
    assert registry.add_revision("f", "p4", MANIFEST)[0].number == 9


def test_failed_revisions_go_as_old_ones_do_with_the_logs_of_their_builds(
    state: StateDir, registry: Registry
) -> None:
    for number in range(1, 6):
        add(state, registry, "f", f"p{number}", ready=number == 2)
        add(state, registry, "never", f"q{number}", ready=False)
    catalog = asyncio.run(collect(state, registry, 2))
    assert list(catalog.functions["f"].revisions) == [2, 4, 5]
    assert list(catalog.functions["never"].revisions) == [4, 5]
    assert registry.functions()["f"].revisions == catalog.functions["f"].revisions
    assert [state.build_log("f", number).exists() for number in range(1, 6)] == [
        False,
        True,
        False,
        True,
        True,
    ]
    assert on_disk(state) == ({"p2"}, {"f@2"})


def test_what_a_crash_has_left_on_disk_goes_at_the_next_start(state: StateDir, registry: Registry) -> None:
    add(state, registry, "f", "p1")
    add(state, registry, "gone", "p2")
    registry.remove("gone")
    registry.remove_revisions("f", [add(state, registry, "f", "p3")])
    asyncio.run(collect(state, registry, 5))
    assert on_disk(state) == ({"p1"}, {"f@1"})
    assert [path.name for path in state.environments.iterdir()] == ["f"]


def test_a_revision_that_an_alias_points_at_is_never_removed(registry: Registry) -> None:
    registry.add_revision("f", "p1", MANIFEST)
    registry.set_alias("f", "canary", 1)
    registry.remove_revisions("f", [1])
    assert list(registry.functions()["f"].revisions) == [1]


def files_of(host: RunningHost) -> tuple[int, set[str]]:
    """How many packages there are, and which revisions have an environment."""
    packages, venvs = on_disk(StateDir(host.state))
    return len(packages), venvs


def deploy(host: RunningHost, number: int) -> None:
    code = f"def index(event, context):\n    return {number}\n"
    assert host.deploy({"index.py": code}, "f")["revision"] == number


def test_a_deploy_takes_old_revisions_away_but_those_still_warm(start_host: StartHost) -> None:
    host = start_host("limits: {revisions: 1}\n")
    deploy(host, 1)
    deploy(host, 2)
    assert host.invoke("f@1", b"{}").json() == 1
    deploy(host, 3)
    wait_until(lambda: not _runs(host, "f@2"), "the second revision has ended")
    deploy(host, 4)
    wait_until(lambda: "f@2" not in files_of(host)[1], "the second is deleted")
    assert host.invoke("f@2", b"{}").status_code == 404
    assert host.invoke("f@1", b"{}").json() == 1
    assert host.deploy({"index.py": "import nothing_like_this\n"}, "f")["type"] == "error"
    assert host.stop() == 0
    host.start()
    wait_until(lambda: files_of(host) == (1, {"f@4"}), "only the live one is left")
    shown = [(each["number"], each["state"]) for each in host.describe("f")["revisions"]]
    assert shown == [(4, "ready"), (5, "failed")]
    assert host.invoke("f", b"{}").json() == 4
    assert "deleted f@2" in host.log()


def _runs(host: RunningHost, label: str) -> bool:
    return any(_revision(each) == label for each in host.processes())


def _revision(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("FNHOST_REVISION")
    except psutil.NoSuchProcess:
        return None
