"""A pool between hot, warm and cold, with real processes."""

import asyncio
import os

import psutil
import pytest

from runtime.events import Event
from runtime.overlay import Overlay, prepare_overlay
from runtime.pool import Pool
from runtime.spec import ScaleRule
from tests.runtime.test_pool import PATIENCE, Bench, bench, until

__all__ = ["bench"]

PIDS = "import os\ndef index(event, context):\n    return [os.getpid(), os.getppid()]\n"
SLOW = "import time\ndef index(event, context):\n    time.sleep(event)\n    return event\n"


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Overlay:
    """The overlay folders, made once."""
    return prepare_overlay(tmp_path_factory.mktemp("overlay"))


async def pids_of(pool: Pool) -> list[int]:
    answer = await asyncio.wait_for(pool.submit(Event(b"{}")), PATIENCE)
    instance, arbiter = str(answer.body or b"", "ascii").strip("[]").split(",")
    return [int(instance), int(arbiter)]


def temperature(pool: Pool) -> str:
    return pool.view().temperature


def test_the_first_event_starts_a_cold_pool_and_idle_ones_cool_step_by_step(bench: Bench) -> None:
    async def scene() -> None:
        pool = bench.pool(PIDS, None, scale=ScaleRule(0, 4, idle=0.3, keep_warm=3.0))
        try:
            assert (temperature(pool), pool.pids()) == ("cold", [])
            first, arbiter = await pids_of(pool)
            await until(lambda: temperature(pool) == "warm", "it is warm")
            await until(lambda: not psutil.pid_exists(first), "its instance has ended")
            assert (await pids_of(pool))[1] == arbiter, "a warm pool forks from the memory that is there"
            await until(lambda: temperature(pool) == "cold", "it is cold")
            await until(lambda: not psutil.pid_exists(arbiter), "its arbiter has ended")
            assert pool.pids() == []
            assert (await pids_of(pool))[1] != arbiter
            assert pool.view().last_error is None
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_events_that_come_while_a_pool_cools_are_answered(bench: Bench) -> None:
    async def scene() -> None:
        pool = bench.pool(PIDS, None, scale=ScaleRule(0, 4, idle=0.0, keep_warm=0.0))
        try:
            for _ in range(6):
                await pids_of(pool)
                await until(lambda: temperature(pool) != "hot", "it cools")
                assert len(await pids_of(pool)) == 2
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_a_spike_gets_instances_up_to_the_most_there_may_be_and_all_are_answered(bench: Bench) -> None:
    async def scene() -> None:
        pool = bench.pool(SLOW, None, scale=ScaleRule(0, 4))
        try:
            await pool.submit(Event(b"0"))
            futures = [pool.submit(Event(b"0.1")) for _ in range(20)]
            await until(lambda: len(pool.view().instances) == 4, "four instances")
            assert [(await future).body for future in futures] == [b"0.1"] * 20
            assert len(pool.view().instances) == 4
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_an_arbiter_that_dies_while_its_pool_is_warm_is_replaced_and_loses_nothing(bench: Bench) -> None:
    async def scene() -> None:
        pool = bench.pool(PIDS, None, scale=ScaleRule(0, 4, idle=0.1, keep_warm=60.0))
        try:
            _, arbiter = await pids_of(pool)
            await until(lambda: temperature(pool) == "warm", "it is warm")
            os.kill(arbiter, 9)
            await until(lambda: not psutil.pid_exists(arbiter), "it is dead")
            assert (await pids_of(pool))[1] != arbiter
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_an_instance_that_is_retired_while_it_streams_finishes_at_its_readers_pace(bench: Bench) -> None:
    index = "def index(event, context):\n    for _ in range(100):\n        yield bytes(100_000)\n"

    async def scene() -> None:
        pool = bench.pool(index, 2, max_result=200_000)
        try:
            await pool.start()
            await until(lambda: len(pool.view().instances) == 2, "two instances")
            asked = [pool.submit(Event(b"{}", streams=True)) for _ in range(2)]
            streams = [(await asyncio.wait_for(each, PATIENCE)).stream for each in asked]
            pool.scale(1)
            await until(
                lambda: "retiring" in [each.state for each in pool.view().instances], "one is retired"
            )
            for stream in streams:
                assert stream is not None
                assert sum([len(piece) async for piece in stream]) == 100 * 100_000
            await until(lambda: len(pool.view().instances) == 1, "it has gone")
        finally:
            await pool.stop()

    asyncio.run(scene())
