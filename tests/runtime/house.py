"""Pools of functions that share their processes, for tests."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from runtime.boot import BootError
from runtime.events import Answer, Event
from runtime.loglines import LogLine
from runtime.overlay import Overlay
from runtime.pool import Pool
from runtime.process import Workshop
from runtime.scaling.memory import Sampler
from runtime.scaling.scaler import Scaler
from runtime.sharing.register import Register
from runtime.spec import PoolSpec
from tests.runtime.test_pool import AMPLE, PATIENCE


class House:
    """Makes pools of packages written on the spot that share their processes, and stops them all."""

    def __init__(self, folder: Path, overlay: Overlay, python: Path) -> None:
        self.folder = folder
        self.owner = f"test-{os.urandom(8).hex()}"
        self.lines: list[LogLine] = []
        self.pools: list[Pool] = []
        (folder / "home").mkdir()
        register = Register(folder / "home", (folder,))
        self.workshop = Workshop(overlay, self.owner, self.lines.append, shared=register)
        self._python = python

    def pool(self, name: str, index: str, instances: int | None = 1, **changes: Any) -> Pool:
        package = self.folder / f"{name}-{len(self.pools)}"
        package.mkdir()
        (package / "index.py").write_text(index, encoding="utf-8")
        output = self.folder / "home" / name
        settings: dict[str, Any] = {"python": self._python, "isolation": "subinterpreter", **changes}
        spec = PoolSpec(name, len(self.pools) + 1, "", package_dir=package, output_dir=output, **settings)
        loop = asyncio.get_running_loop()
        pool = Pool(spec, self.workshop, Scaler(loop, Sampler(loop), AMPLE), instances)
        self.pools.append(pool)
        return pool

    async def started(self, name: str, index: str, instances: int | None = 1, **changes: Any) -> Pool:
        pool = self.pool(name, index, instances, **changes)
        try:
            await pool.start()
        except BootError:
            # As a deploy does: it would be tried again and again.
            await pool.stop()
            raise
        return pool

    def play(self, scene: Callable[[], Awaitable[None]]) -> None:
        """Play it, within its time; afterwards all pools are stopped."""

        async def run() -> None:
            try:
                await asyncio.wait_for(scene(), PATIENCE)
            finally:
                for pool in self.pools:
                    await pool.stop()

        asyncio.run(run())

    def begun(self, pool: Pool, number: int) -> Path:
        """The file that an event leaves when it has begun."""
        return pool.spec.output_dir / f"begun-{number}"


async def ask(pool: Pool, event: object = None) -> Any:
    answer = await pool.submit(Event(json.dumps(event).encode()))
    return json.loads(answer.body or b"null")


def begin(pool: Pool, event: object) -> "asyncio.Future[Answer]":
    return pool.submit(Event(json.dumps(event).encode()))


def pid_of(pool: Pool) -> int:
    return next(each.pid for each in pool.view().instances if each.pid)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
