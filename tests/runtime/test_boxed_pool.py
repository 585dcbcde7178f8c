"""A real pool in a whole box: as a user of its own, and as ourselves."""

import asyncio
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from runtime.boot import BootError
from runtime.boxes.box import Box
from runtime.boxes.boxes import Boxes
from runtime.overlay import Overlay, prepare_overlay
from runtime.pool import Pool
from runtime.process import Workshop
from runtime.scaling.memory import read_usage
from runtime.spec import PoolSpec
from runtime.worker.box_plan import BoxPlan
from tests.hosts import see_none_left
from tests.runtime.test_pool import Bench, invoke, play
from tests.worker.boxed import SYSTEM, USER, landlock_abi, reachable_python, sys_prefix

pytestmark = pytest.mark.skipif(landlock_abi() == 0, reason="this kernel has no Landlock")


class ClosedBox(Box):
    """Every wall that the arbiter puts up; `uid` None stays who we are."""

    def __init__(self, spec: PoolSpec, uid: int | None, overlay: Overlay) -> None:
        super().__init__(spec)
        self._uid = uid
        self._overlay = overlay

    def enter(self, pid: int) -> BoxPlan:
        """Its own files to read, its output to write, no network and no process."""
        reads = (sys_prefix(str(self.spec.python)), *self._overlay.folders, self.spec.package_dir)
        plan = BoxPlan(uid=self._uid, landlock=True, seccomp=True, network=False, forks=False)
        writes = (str(self.spec.output_dir), "/dev/null")
        return plan._replace(reads=(*SYSTEM, *map(str, reads)), writes=writes)


class ClosedBoxes(Boxes):
    """The same for every pool."""

    def __init__(self, uid: int | None, overlay: Overlay) -> None:
        super().__init__()
        self._uid = uid
        self._overlay = overlay

    def open(self, spec: PoolSpec) -> Box:
        """As closed as it gets."""
        return ClosedBox(spec, self._uid, self._overlay)


class Closed:
    """A bench whose pools are boxed in, with what other users may reach."""

    def __init__(self, folder: Path, uid: int | None) -> None:
        overlay = prepare_overlay(folder / "overlay")
        self.uid = os.getuid() if uid is None else uid
        self.bench = Bench(folder, overlay)
        boxes = ClosedBoxes(uid, overlay)
        self.bench.workshop = Workshop(overlay, self.bench.owner, self.bench.lines.append, boxes)

    def pool(self, index: str, **changes: Any) -> Pool:
        """A pool whose function may write to its output folder, whoever it runs as."""
        pool = self.bench.pool(index, python=Path(reachable_python()), **changes)
        (self.bench.folder / "output").chmod(0o777)
        return pool


@pytest.fixture(params=["own uid", "ourselves"])
def closed(request: pytest.FixtureRequest) -> Iterator[Closed]:
    """Both with and without a user of the function's own."""
    uid = USER if request.param == "own uid" else None
    if uid and os.geteuid() != 0:
        pytest.skip("an own uid needs root")
    folder = Path(tempfile.mkdtemp(dir="/tmp", prefix="fnhost-pool-"))
    folder.chmod(0o755)
    made = Closed(folder, uid)
    yield made
    see_none_left(made.bench.owner)
    shutil.rmtree(folder)


INDEX = """
import asyncio, os, socket, subprocess, tempfile, threading

def index(event, context):
    if event == "who":
        return [os.getuid(), os.getpid(), os.getppid()]
    if event == "work":
        threading.Thread(target=int).start()
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("x")
        return asyncio.run(asyncio.sleep(0, "worked"))
    if event == "run":
        subprocess.run(["/bin/true"])
    if event == "fork":
        os.fork()
    if event == "connect":
        socket.create_connection(("127.0.0.1", 9))
    if event == "read":
        os.listdir("/var/log")
    if event == "write":
        open(context.package_dir + "/data", "w")
    if event == "mine":
        raise PermissionError("not today")
    if event == "end":
        os.kill(os.getppid(), 15)
"""
HINTS = {
    "run": "`processes: 1` in function.yaml",
    "fork": "`processes: 1` in function.yaml",
    "connect": "as `network: none` says",
    "read": "does not let the function read /var/log; `reads:` in the config does",
    "write": "/data; `writes:` in the config changes that",
    "mine": "not today",
    "end": "Operation not permitted",
}


def test_a_function_in_a_whole_box_works_and_is_told_what_its_box_forbids(closed: Closed) -> None:
    async def scene(pool: Pool) -> None:
        uid, pid, arbiter = json.loads(await invoke(pool, b'"who"') or b"")
        assert (uid, psutil.Process(arbiter).uids().real) == (closed.uid, closed.uid)
        assert await invoke(pool, b'"work"') == b'"worked"'
        (closed.bench.folder / "package" / "data").write_text("x")
        (closed.bench.folder / "package" / "data").chmod(0o666)
        for event, hint in HINTS.items():
            with pytest.raises(Exception, match=re.escape(hint)) as raised:
                await invoke(pool, json.dumps(event).encode())
            assert ("(the box" in str(raised.value)) == (event not in ("mine", "end")), raised.value
        usage = read_usage(pid)
        assert usage is not None and usage.pss > 0, "the host still sees what it uses"
        assert await invoke(pool, b'"who"') == json.dumps([uid, pid, arbiter]).encode()

    play(lambda: closed.pool(INDEX), scene)


def test_what_keeps_an_arbiter_from_its_work_is_told_with_the_path(closed: Closed) -> None:
    async def scene() -> None:
        pool = closed.pool(INDEX)
        package = closed.bench.folder / "package"
        package.chmod(0o700)
        reason = f"the box does not let user {USER} read {package}"
        try:
            with pytest.raises(BootError, match=re.escape(reason)):
                await pool.start()
        finally:
            await pool.stop()

    if closed.uid != USER:
        pytest.skip("we may read it all")
    asyncio.run(scene())
