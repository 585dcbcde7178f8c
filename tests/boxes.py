"""A folder that every user may reach, for hosts whose functions are users of their own."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import RunningHost, StartHost


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Those of pytest lie below one that is closed to others."""
    if os.geteuid() != 0:
        pytest.skip("only root gives functions users of their own")
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="fnhost-open-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start_open_host(open_folder: Path) -> Iterator[StartHost]:
    """Starts one host at a time whose functions can be boxed in as strongly as the machine can."""
    running: list[RunningHost] = []

    def start(config: str | None = None) -> RunningHost:
        host = RunningHost(open_folder, config)
        running.append(host)
        return host.start()

    yield start
    for host in running:
        host.close()
