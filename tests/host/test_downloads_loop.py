"""How often a package is tried, how many at a time, and who waits for it: without a host around it."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from functions.errors import PackageError
from functions.fetch_order import FetchOrder
from host.deployment import downloads
from host.deployment.deployer import Deployer, DeployError
from host.deployment.downloads import Downloads
from host.deployment.sources import Refused, Source
from host.state import StateDir
from tests.files_server import FilesServer, files_server
from tests.hosts import zip_of

PATIENCE = 60.0


class StubDeployer:
    """Keeps the contract of the deployer without building anything; `failures` are raised first."""

    def __init__(self, deployed: set[str]) -> None:
        self.deployed = deployed
        self.failures: dict[str, list[Exception]] = {}
        self.tried: list[str] = []
        self.running = self.most = 0
        self.barrier = asyncio.Barrier(1)

    def is_deployed(self, name: str) -> bool:
        return name in self.deployed

    def is_current(self, name: str, sha256: str) -> bool:
        return False

    async def prepare(self, source: Path, names: Any) -> str:
        self.tried.append(names.asked)
        self.running += 1
        self.most = max(self.most, self.running)
        await self.barrier.wait()
        self.running -= 1
        if self.failures.get(names.asked):
            raise self.failures[names.asked].pop(0)
        return str(names.asked)

    async def deploy(self, name: str, tell: object) -> dict[str, Any]:
        self.deployed.add(name)
        return {"revision": 1}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDir]:
    state = StateDir(tmp_path / "state")
    state.lock()
    yield state
    state.unlock()


@pytest.fixture
def zipped(tmp_path: Path) -> Path:
    path = tmp_path / "x.zip"
    path.write_bytes(zip_of({"index.py": ""}))
    return path


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[FetchOrder]:
    """An order whose server never sends the body."""
    with files_server() as server:
        server.add("/x.zip", b"x", gate=threading.Event())
        yield order_of(server, tmp_path)


def order_of(server: FilesServer, folder: Path) -> FetchOrder:
    return FetchOrder(f"{server.url}/x.zip", folder / "state" / "downloads" / "x.zip")


def make(state: StateDir, sources: Mapping[str, Source], *deployed: str) -> tuple[Downloads, StubDeployer]:
    deployer = StubDeployer(set(deployed))
    return Downloads(sources, state, cast(Deployer, deployer)), deployer


def run(downloads: Downloads) -> None:
    asyncio.run(asyncio.wait_for(downloads.run(), PATIENCE))


async def is_done_while_it_runs(downloads: Downloads) -> None:
    running = asyncio.create_task(downloads.run())
    await asyncio.wait_for(downloads.done.wait(), PATIENCE)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_without_functions_nobody_waits(state: StateDir) -> None:
    found, _ = make(state, {})
    run(found)
    assert found.done.is_set()


def test_four_packages_are_worked_on_at_a_time(state: StateDir, zipped: Path) -> None:
    async def work() -> int:
        found, deployer = make(state, {f"f{number}": zipped for number in range(8)})
        deployer.barrier = asyncio.Barrier(4)  # is passed only by four together
        await asyncio.wait_for(found.run(), PATIENCE)
        return deployer.most

    assert asyncio.run(work()) == 4


def test_what_may_pass_by_itself_is_tried_again_until_it_does(
    state: StateDir, zipped: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(downloads, "FIRST_PAUSE", 0.001)
    found, deployer = make(state, {"f": zipped})
    index_away = DeployError("The environment cannot be built", "no index", retryable=True)
    deployer.failures["f"] = [index_away, index_away, OSError(28, "No space left"), index_away]
    run(found)
    assert deployer.tried == ["f"] * 5 and found.why("f") is None
    assert caplog.text.count("no index") == 2  # said again only after something else


def test_a_package_that_is_refused_is_not_tried_again(state: StateDir, zipped: Path) -> None:
    found, deployer = make(state, {"f": zipped, "g": zipped})
    deployer.failures["f"] = [PackageError("the zip has no index.py")]
    deployer.failures["g"] = [DeployError("The package does not start", "boom")]
    run(found)
    assert sorted(deployer.tried) == ["f", "g"] and found.done.is_set()
    assert (found.why("f"), found.why("g")) == ("the zip has no index.py", "boom")


def test_the_pause_grows_up_to_five_minutes() -> None:
    error = OSError()
    assert [downloads._pause(error, failures) for failures in (0, 1, 2, 6, 10_000)] == [5, 10, 20, 300, 300]


def test_an_address_that_may_not_be_used_says_why_and_stops_only_its_function(
    state: StateDir, zipped: Path
) -> None:
    found, deployer = make(state, {"f": Refused("funcs[0]: not an MD5"), "g": zipped})
    run(found)
    assert found.why("f") == "funcs[0]: not an MD5" and deployer.deployed == {"g"}


def test_what_is_missing_is_said_once_and_what_is_deployed_not_at_all(
    state: StateDir, caplog: pytest.LogCaptureFixture
) -> None:
    found, _ = make(state, {"f": None})
    run(found)
    assert caplog.text.count("fnhost deploy f.zip") == 1
    assert "download: true" in (found.why("f") or "")
    assert found.why("stranger") is None


def test_a_revision_in_service_is_not_held_up_by_the_fetch_of_its_successor(
    state: StateDir, stuck: FetchOrder
) -> None:
    async def work() -> None:
        found, _ = make(state, {"f": stuck}, "f")
        await is_done_while_it_runs(found)
        assert found.why("f") is None

    asyncio.run(work())


def test_nobody_waits_longer_than_a_minute(
    state: StateDir, stuck: FetchOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "LONGEST_WAIT", 0.05)

    async def work() -> None:
        found, _ = make(state, {"f": stuck})
        await is_done_while_it_runs(found)
        assert found.why("f") == f"it is being fetched from {stuck.url}"

    asyncio.run(work())


def test_an_error_of_ours_ends_the_care_for_one_function_only(
    state: StateDir, zipped: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found, deployer = make(state, {"f": zipped, "g": zipped})
    deployer.failures["f"] = [KeyError("bug")]
    run(found)
    assert deployer.deployed == {"g"} and found.done.is_set()
    assert "f is given up" in caplog.text and "KeyError" in caplog.text


def test_zips_that_nobody_asks_for_any_more_are_deleted(state: StateDir, zipped: Path) -> None:
    for name in ("old.zip", "half.zip.part", "half.zip.mark"):
        (state.downloads / name).write_text("")
    run(make(state, {"f": zipped})[0])
    assert list(state.downloads.iterdir()) == []
