"""Pools whose starts fail: they are tried again, and what runs goes on running."""

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from runtime.events import Event, UnavailableError
from runtime.overlay import Overlay, prepare_overlay
from runtime.pool import Pool
from runtime.spec import ScaleRule
from runtime.turns import Turns
from tests.runtime.test_pool import PATIENCE, Bench, bench, until
from tests.runtime.test_temperatures import PIDS, pids_of, temperature

__all__ = ["bench"]


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Overlay:
    """The overlay folders, made once."""
    return prepare_overlay(tmp_path_factory.mktemp("overlay"))


async def ask(pool: Pool) -> object:
    """The answer's body, or the error."""
    try:
        return (await asyncio.wait_for(pool.submit(Event(b"1")), PATIENCE)).body
    except UnavailableError as error:
        return error


def test_a_function_that_could_not_start_is_there_again_once_the_cause_is_gone(
    bench: Bench, tmp_path: Path
) -> None:
    flag = tmp_path / "there"
    index = f"import os\nassert os.path.exists({str(flag)!r})\ndef index(event, context):\n    return event\n"

    async def scene() -> None:
        pool = bench.pool(index, None, scale=ScaleRule(0, 4, idle=0.2, keep_warm=0.2))
        try:
            refused = await ask(pool)
            assert isinstance(refused, UnavailableError)
            await until(lambda: temperature(pool) == "cold", "it has cooled")
            assert isinstance(await ask(pool), UnavailableError)
            flag.touch()
            loop = asyncio.get_running_loop()
            deadline = loop.time() + PATIENCE
            while (answer := await ask(pool)) != b"1":
                assert loop.time() < deadline, answer
                await asyncio.sleep(0.05)
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_one_start_that_fails_costs_the_instances_that_run_nothing(bench: Bench, tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    index = f"""
import os, time
def start(context):
    with open({str(mark)!r}, "a") as file:
        file.write("x")
    if os.path.getsize({str(mark)!r}) == 4:
        raise OSError("too many connections")
def index(event, context):
    time.sleep(0.1)
    return event
"""

    async def scene() -> None:
        pool = bench.pool(index, None, scale=ScaleRule(0, 6))
        pending: set[asyncio.Future[object]] = set()
        try:

            async def load() -> bool:
                while len(pending) < 12:
                    pending.add(asyncio.ensure_future(ask(pool)))
                done, _ = await asyncio.wait(pending, return_when="FIRST_COMPLETED")
                pending.difference_update(done)
                assert {each.result() for each in done} == {b"1"}
                return len(pool.view().instances) == 6 and mark.stat().st_size > 6

            deadline = asyncio.get_running_loop().time() + PATIENCE
            while not await load():
                assert asyncio.get_running_loop().time() < deadline, pool.view()
            await asyncio.gather(*pending)
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_a_pool_that_is_stopped_or_not_wanted_any_more_gives_its_turn_to_boot_away(
    bench: Bench, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    slow = f"import os, time\nwhile not os.path.exists({str(gate)!r}): time.sleep(0.01)\n"
    quick = "def index(event, context):\n    return event\n"

    async def scene() -> None:
        workshop = replace(bench.workshop, turns=Turns(1))
        pools = []
        for name, index in (("first", slow + quick), ("second", quick), ("third", quick), ("last", quick)):
            folder = tmp_path / name
            folder.mkdir()
            bench.folder, bench.workshop = folder, workshop
            pools.append(bench.pool(index, None, scale=ScaleRule(0, 1, idle=0.1, keep_warm=0.0)))
        first, second, third, last = pools
        try:
            answers = [asyncio.ensure_future(ask(first))]
            await until(first.pids, "the first boots")
            gone, stopped = second.submit(Event(b"1")), asyncio.ensure_future(ask(third))
            answers.append(asyncio.ensure_future(ask(last)))
            await until(
                lambda: third.view().wanted == second.view().wanted == 1, "others wait for their turn"
            )
            gone.cancel()
            await until(lambda: second.view().wanted == 0, "the second is not wanted any more")
            await third.stop()
            assert isinstance(await stopped, UnavailableError)
            assert not last.pids()
            gate.touch()
            assert await asyncio.gather(*answers) == [b"1", b"1"]
        finally:
            await asyncio.gather(*(pool.stop() for pool in pools))

    asyncio.run(scene())


def test_a_warm_arbiter_that_is_killed_again_and_again_is_there_for_the_next_event(bench: Bench) -> None:
    async def scene() -> None:
        pool = bench.pool(PIDS, None, scale=ScaleRule(0, 4, idle=0.1, keep_warm=60.0))
        try:
            await pids_of(pool)
            for _ in range(4):
                await until(lambda: temperature(pool) == "cold" or len(pool.pids()) == 1, "no instance")
                for arbiter in pool.pids():
                    os.kill(arbiter, 9)
                    await until(lambda pid=arbiter: not psutil.pid_exists(pid), "it is dead")  # type: ignore[misc]
            deadline = asyncio.get_running_loop().time() + PATIENCE
            while isinstance(answer := await ask(pool), UnavailableError):
                assert asyncio.get_running_loop().time() < deadline, answer
                await asyncio.sleep(0.05)
        finally:
            await pool.stop()

    asyncio.run(scene())
