"""Fixtures that tests of every layer may ask for."""

import os
from collections.abc import Iterator

import pytest

from tests.boxes import open_folder, start_open_host
from tests.brokers import make_mosquitto, mosquitto
from tests.hosts import shared_host, start_host

__all__ = ["make_mosquitto", "mosquitto", "open_folder", "shared_host", "start_host", "start_open_host"]


@pytest.fixture(scope="session", autouse=True)
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hosts of the tests leave the token for the command line in a folder of their own."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(tmp_path_factory.mktemp("run"))
    yield
    os.environ.pop("XDG_RUNTIME_DIR")
    if before is not None:
        os.environ["XDG_RUNTIME_DIR"] = before
