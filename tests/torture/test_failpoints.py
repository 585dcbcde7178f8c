"""A host that dies at any of the named points loses nothing, and repeats only what it may."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from tests.hosts import ROOT
from tests.torture.points import SCENARIOS
from tests.torture.scene import Scene
from tests.torture.stage import Stage
from triggers.store.failpoints import POINTS


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """The loop that the stage lives on."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module")
def stage(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Brokers, proxies and a host with its function for all points."""
    made = Stage(tmp_path_factory.mktemp("points"))
    try:
        runner.run(made.open())
        yield made
    finally:
        runner.run(made.close())


def test_every_point_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(POINTS)


def test_the_document_tells_of_every_point_whether_a_result_may_come_twice() -> None:
    text = (ROOT / "docs/delivery.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \|[^|]+\| ([^|]+) \|$", text, re.MULTILINE)
    told = {name: promise for names, promise in rows for name in re.findall(r"`([\w.-]+)`", names)}
    assert set(POINTS) <= set(told)
    # One that refers to another's promise has events at several points.
    repeats = {name: "twice" in told[name] and "one result" not in told[name] for name in POINTS}
    referring = {name for name in POINTS if told[name].startswith("as at")}
    assert {name for name in POINTS if repeats[name]} == {
        name for name in POINTS if SCENARIOS[name].repeats
    } - referring


@pytest.mark.parametrize("point", SCENARIOS)
def test_a_host_that_dies_there_loses_nothing(point: str, runner: asyncio.Runner, stage: Stage) -> None:
    verdict = runner.run(Scene(stage, point, SCENARIOS[point]).play())
    assert verdict.wrong == {}
    assert verdict.repeats.total() <= SCENARIOS[point].repeats
