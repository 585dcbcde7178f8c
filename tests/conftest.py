"""Fixtures that tests of every layer may ask for, and how a run of all tests fills the machine."""

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.boxes import open_folder, start_open_host
from tests.brokers import make_mosquitto, mosquitto
from tests.forked import Nursery
from tests.hosts import RunningHost, shared_host, start_host
from tests.order import in_order

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


@pytest.fixture(scope="session", autouse=True)
def nursery() -> Iterator[None]:
    """Where the hosts of the tests are forked."""
    RunningHost.nursery = Nursery()
    yield
    RunningHost.nursery.close()
    RunningHost.nursery = None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: more than half of the time, these tests wait for other processes."""
    return min(2 * len(os.sched_getaffinity(0)), 8)


def pytest_configure() -> None:
    """What is generated is the same in all runs, however slow the machine; `make fuzz` finds what is new."""
    slow = [HealthCheck.too_slow]
    settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=slow)
    settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A worker hands over valid Unicode only, and ends the whole run otherwise; tests log other text, too."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A slow file that begins last would keep one worker busy while all others have nothing to do."""
    items.sort(key=in_order)
