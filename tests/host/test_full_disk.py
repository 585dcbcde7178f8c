"""What callers are told by a host whose disk is full: which disk it is, and what to do."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import RunningHost, zip_of
from tests.torture.disk import Disk

INDEX = "def index(event, context):\n    return 1\n"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """The one of the host's state."""
    disk = Disk(tmp_path / "state")
    if disk.why_not:
        pytest.skip(disk.why_not)
    yield disk
    disk.unmount()


@pytest.fixture
def host(tmp_path: Path, disk: Disk) -> Iterator[RunningHost]:
    """Its state folder is all of the disk."""
    host = RunningHost(tmp_path)
    yield host.start()
    host.close()


def test_what_writes_is_refused_with_the_disk_and_the_remedy(disk: Disk, host: RunningHost) -> None:
    assert host.deploy({"index.py": INDEX}, "one")["type"] == "done"
    remedy = f"the disk of {host.state} is full: free some of it (`du -xhd 2 {host.state} | sort -h | tail`)"

    disk.fill()
    package = {"index.py": INDEX.encode(), "data": os.urandom(300_000)}
    answer = host.client.post(f"{host.url}/api/functions?name=two", content=zip_of(package))
    assert (answer.status_code, answer.json()["title"]) == (507, "The disk is full")
    assert answer.json()["detail"].startswith(remedy)
    made = host.client.post(f"{host.url}/api/tokens", json={"name": "x", "scopes": ["admin"]})
    assert made.status_code == 507 and made.json()["detail"].startswith(remedy), made.text
    assert "Traceback" not in host.log_file.read_text()

    disk.free()
    for spare in (40_000, 80_000):  # for the upload, and not for the registry; for that, and not for uv
        disk.fill(spare)
        last = host.deploy({"index.py": INDEX}, "two")
        assert (last["status"], last["detail"].startswith(remedy)) == (507, True), last
        disk.free()
    assert host.invoke("one", b"{}").json() == 1
    assert host.deploy({"index.py": INDEX}, "two")["type"] == "done"
