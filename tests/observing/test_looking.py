"""Tests of the look each second: what is idle costs little, and nothing of what ends is missed."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from host.observing.history.axis import Axis
from host.observing.history.columns import LAYOUTS, Scope
from host.observing.history.history import History
from host.observing.history.looking import IDLE_EVERY, Look, Sources, Waiting
from host.observing.history.part import HistoryPart, HistoryParts, pace_looks
from host.observing.history.processes import Processes
from host.observing.history.restoring import Restoring
from host.observing.history.saving import Saving, make_journals
from host.observing.metrics.tallies import Tallies
from host.observing.slices import Slices
from runtime.events import Event, UnknownFunctionError
from runtime.pool import InstanceView, Pool, PoolView
from runtime.scaling.memory import Figure
from tests.observing.told import ok, run_of, spec_of

NOON = 1_800_000_000


class OnePool:
    """What the look asks of a pool; it has one instance."""

    def __init__(self, function: str) -> None:
        self.spec = spec_of(function)
        self.is_asleep = False
        self.sharers = 1
        self.load = (0, 0, 1)
        self.own: list[int] = []

    def pids(self) -> list[int]:
        return self.own

    def view(self) -> PoolView:
        return PoolView("ready", [InstanceView(0, 7, "idle", 0.0, 5)], 1, 0, 0, 5, 0, None, "hot")


class Unread(Processes):
    """Reads nothing: when a thread is done with it differs from run to run."""

    def want(self, owners: object) -> None:
        """Not now."""


class Scene:
    """A look at functions with a pool each; `now` is the second that was looked at last."""

    def __init__(self) -> None:
        self.pools: dict[str, OnePool] = {}
        self.tallies = Tallies(self.pools.__contains__)
        self.history = History()
        self.draining: list[OnePool] = []
        self.now = NOON
        sources = Sources(self.tallies, self._deployed, self._all, self._figure, lambda: Waiting(1, 2, 3))
        self.look = Look(self.history, sources, Unread(asyncio.get_running_loop()))

    def deploy(self, function: str) -> OnePool:
        pool = self.pools[function] = OnePool(function)
        return pool

    def _all(self) -> list[Pool]:
        return [cast(Pool, each) for each in (*self.pools.values(), *self.draining)]

    def _deployed(self) -> dict[str, list[int]]:
        return {name: [1] for name in self.pools}

    def _figure(self, pool: Any) -> Figure:
        return Figure(0.0, 1000, 2, 10, {7: 600})

    async def work(self, seconds: int, function: str | None = None) -> None:
        for _ in range(seconds):
            if function is not None:
                self.tallies.ended(run_of(spec_of(function), ok()))
            self.now += 1
            await self.look.look(self.now, Slices())

    def column(self, scope: Scope, name: str, step: int = 1) -> list[float]:
        place = 1 + LAYOUTS[scope].names.index(name)
        return [row[place] for _, series in self.history.find(scope) for row in series.since(0, step)]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def played(loop: asyncio.AbstractEventLoop, play: Any) -> Scene:
    async def run() -> Scene:
        scene = Scene()
        await play(scene)
        return scene

    return loop.run_until_complete(run())


def test_an_idle_function_has_a_row_now_and_then_and_counts_all_the_same(
    loop: asyncio.AbstractEventLoop,
) -> None:
    async def play(scene: Scene) -> None:
        scene.deploy("industry")
        await scene.work(5, "industry")
        await scene.work(100)

    scene = played(loop, play)
    assert 5 + IDLE_EVERY < len(scene.column("function", "ok")) < 40
    assert len(scene.column("host", "idle")) == 105
    assert scene.column("host", "idle") == [1] * 105 and set(scene.column("host", "memory")) == {1000}
    assert len(scene.column("function", "idle", 10)) == 11
    assert sum(scene.column("instance", "answered", 60)) == 5


def test_a_function_that_sleeps_has_no_row_until_something_comes(loop: asyncio.AbstractEventLoop) -> None:
    async def play(scene: Scene) -> None:
        scene.deploy("industry").is_asleep = True
        await scene.work(30)
        await scene.work(1, "industry")
        await scene.work(200)

    scene = played(loop, play)
    assert [row[0] for _, each in scene.history.find("function") for row in each.since(0, 1)] == [NOON + 30]
    assert sum(scene.column("host", "ok", 60)) == sum(scene.column("function", "ok", 60)) == 1


def test_what_a_function_did_before_it_was_removed_is_told_and_nothing_is_told_twice(
    loop: asyncio.AbstractEventLoop,
) -> None:
    async def play(scene: Scene) -> None:
        scene.deploy("industry")
        await scene.work(10, "industry")
        scene.tallies.ended(run_of(spec_of("industry"), ok()))
        del scene.pools["industry"]
        scene.tallies.retain({})
        await scene.work(200)
        scene.deploy("industry")
        await scene.work(10, "industry")

    scene = played(loop, play)
    for step in (1, 10, 60):
        assert sum(scene.column("function", "ok", step)) == sum(scene.column("host", "ok", step)) == 21


def test_pools_that_drain_are_seen_as_long_as_they_have_processes(loop: asyncio.AbstractEventLoop) -> None:
    async def play(scene: Scene) -> None:
        scene.deploy("industry")
        await scene.work(5, "industry")
        scene.draining.append(scene.pools["industry"])
        scene.deploy("industry")
        await scene.work(5, "industry")
        scene.draining.clear()
        await scene.work(5, "industry")

    scene = played(loop, play)
    assert scene.column("function", "idle") == scene.column("host", "idle") == [1] * 5 + [2] * 5 + [1] * 5


def test_idle_functions_are_looked_at_in_different_seconds(loop: asyncio.AbstractEventLoop) -> None:
    async def play(scene: Scene) -> None:
        for number in range(20):
            scene.deploy(f"f{number}")
        await scene.work(60)

    scene = played(loop, play)
    begins = [row[0] for _, each in scene.history.find("function") for row in each.since(NOON + 40, 1)]
    assert len(begins) == 40 and len(set(begins)) > 10


def test_functions_that_were_removed_are_forgotten_where_nobody_scrapes(
    loop: asyncio.AbstractEventLoop,
) -> None:
    async def play(scene: Scene) -> None:
        scene.deploy("industry")
        await scene.work(5, "industry")
        del scene.pools["industry"]
        scene.look.forget_old(scene.now)
        await scene.work(5)

    scene = played(loop, play)
    assert not scene.tallies.functions() and sum(scene.column("function", "ok")) == 5


def test_a_look_at_many_functions_lets_others_have_their_turn(loop: asyncio.AbstractEventLoop) -> None:
    turns = []

    async def play(scene: Scene) -> None:
        async def other() -> None:
            while True:
                turns.append(0)
                await asyncio.sleep(0)

        for number in range(300):
            scene.deploy(f"f{number}")
        task = asyncio.create_task(other())
        await scene.work(1)
        task.cancel()

    played(loop, play)
    assert len(turns) > 3


def test_an_error_of_ours_costs_one_look_and_is_said_once(
    loop: asyncio.AbstractEventLoop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        scene, journals, seen = Scene(), make_journals(tmp_path), asyncio.Event()
        axis, looks = Axis(), 0

        async def look(now: int, slices: Slices) -> None:
            nonlocal looks
            looks += 1
            if looks == 1:
                raise RuntimeError("can't start new thread")
            seen.set()

        scene.look.look = look  # type: ignore[method-assign]
        saving, restoring = Saving(scene.history, journals, axis), Restoring(scene.history, journals)
        part = HistoryPart(HistoryParts(axis, scene.history, scene.look, saving, restoring, tmp_path))
        await part.start()
        await asyncio.wait_for(seen.wait(), 30)
        await part.stop()

    loop.run_until_complete(run())
    assert caplog.text.count("Traceback") == 1


def test_events_for_names_that_nobody_deployed_are_the_hosts(loop: asyncio.AbstractEventLoop) -> None:
    async def play(scene: Scene) -> None:
        scene.tallies.refused("nobody", Event(b""), UnknownFunctionError("no such function"))
        await scene.work(3)

    scene = played(loop, play)
    assert scene.column("host", "refused") == [1, 0, 0]
    assert scene.column("host", "dead_letters") == [3, 3, 3]
    assert list(scene.history.find("function")) == []


def test_on_a_slow_machine_there_are_fewer_looks_that_still_meet_the_ten_seconds() -> None:
    assert [pace_looks(cost) for cost in (0.0, 0.01, 0.011, 0.03, 0.09, 5.0)] == [1, 1, 2, 5, 10, 10]


def test_where_nothing_can_be_written_the_history_says_so_once_and_goes_on(
    loop: asyncio.AbstractEventLoop, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "history").write_text("in the way")

    async def run() -> list[float]:
        scene = Scene()
        scene.deploy("industry")
        axis, journals = Axis(), make_journals(tmp_path / "history")
        saving, restoring = Saving(scene.history, journals, axis), Restoring(scene.history, journals)
        folder = tmp_path / "history"
        part = HistoryPart(HistoryParts(axis, scene.history, scene.look, saving, restoring, folder))
        await restoring.run(int(axis.now()))
        for _ in range(3):
            await scene.work(60, "industry")
            await part.save()
        return scene.column("function", "ok", 60)

    assert sum(loop.run_until_complete(run())) == 180
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1 and str(tmp_path / "history") in told[0] and "make room" in told[0]
