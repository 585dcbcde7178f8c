"""A pool's memory where no cgroup bounds it: the host itself ends the largest instance."""

import asyncio

import pytest

from runtime.events import Event, InstanceDiedError
from runtime.pool import Pool
from runtime.scaling.memory import Usage
from runtime.spec import MIB
from tests.runtime.test_pool import Bench, bench, idle, invoke, overlay, play, until

__all__ = ["bench", "overlay"]

NAP = """
import os, time
def index(event, context):
    open(os.path.join(context.output_dir, str(os.getpid())), "w").close()
    while event == "nap" and not os.path.exists(os.path.join(context.output_dir, "go")):
        time.sleep(0.01)
"""
LIMIT = 100 * MIB


def test_the_largest_instance_of_a_pool_above_its_limit_is_ended_and_the_limit_told(bench: Bench) -> None:
    async def scene(pool: Pool) -> None:
        await until(lambda: len(idle(pool)) == 2, "two instances")
        arbiter, *instances = pool.pids()
        small = dict.fromkeys((arbiter, *instances), Usage(20 * MIB, 10 * MIB))
        napping = [pool.submit(Event(b'"nap"')) for _ in instances]
        await until(lambda: len(list((bench.folder / "output").iterdir())) == 2, "both have begun")
        pool.weigh(small)
        pool.weigh({**small, instances[1]: Usage(70 * MIB, 60 * MIB)})
        done, still = await asyncio.wait(napping, return_when=asyncio.FIRST_COMPLETED)
        why = rf"pid {instances[1]}\) was killed: out of memory: the pool's limit of 100 MiB"
        with pytest.raises(InstanceDiedError, match=why):
            await done.pop()
        assert len(still) == 1
        (bench.folder / "output" / "go").touch()
        assert await still.pop()
        await until(lambda: len(idle(pool)) == 1, "another takes its place")
        assert await invoke(pool) is None

    play(lambda: bench.pool(NAP, 2, memory=LIMIT), scene)
