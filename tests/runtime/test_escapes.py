"""What a function does so that the host holds on to it, or cannot end it; it ends all the same."""

import asyncio
import os

import pytest

from runtime import slot as slots
from runtime.boot import BootError
from runtime.slot import Slot
from runtime.slot_word import SlotWord
from runtime.worker.frames import Frame
from tests.runtime.test_pool import PATIENCE, Bench, bench, overlay, until

__all__ = ["bench", "overlay"]

CHATTERER = """
import os, socket, sys, time
marker = os.path.join(os.environ["HOME"], "said all")
channel = socket.socket(fileno=os.dup(int(sys.orig_argv[-1])))
word = b'{"op":"pong","x":[' + b"0," * 12000 + b"0]}"
for _ in range(8):
    if os.fork() == 0:
        end = time.monotonic() + 10
        try:
            while time.monotonic() < end:
                channel.send(word)
        finally:
            open(marker, "w").close()
            os._exit(0)
time.sleep(0.1)
os._exit(0)
"""
DOUBLE = """
import os, sys, time
arbiter, instance = (sys.modules[f"_fnhost_worker.{name}"] for name in ("arbiter", "instance"))
class Worker:
    class tmp:
        close = staticmethod(lambda: None)
def spawn_worker(self):
    channel = self.LISTENERS[0]
    first = os.fork()
    if first == 0:
        channel.sendall(instance.encode({"op": "hello"}))
        os._exit(0)
    os.waitpid(first, 0)
    second = os.fork()
    if second == 0:
        channel.sendall(instance.encode({"op": "ready", "async": False}))
        time.sleep(600)
    self.WORKERS[second] = Worker
    return second
arbiter.PoolArbiter.spawn_worker = spawn_worker
def index(event, context):
    return event
"""


async def start(bench: Bench, index: str, **changes: object) -> str:
    """Why it does not start."""
    pool = bench.pool(index, **changes)  # type: ignore[arg-type]
    try:
        with pytest.raises(BootError) as caught:
            await asyncio.wait_for(pool.start(), PATIENCE)
        return str(caught.value)
    finally:
        await pool.stop()


def test_children_of_a_dead_arbiter_are_killed_before_its_last_words_are_heard(bench: Bench) -> None:
    asyncio.run(start(bench, CHATTERER))
    assert not (bench.folder / "output" / "said all").exists()


def test_a_process_that_serves_where_another_has_greeted_ends_with_all_its_pool(bench: Bench) -> None:
    async def scene() -> None:
        pool = bench.pool(DOUBLE)
        try:
            asking = asyncio.ensure_future(pool.start())
            await until(lambda: pool.view().last_error, "it has failed")
            assert "another process answered in its place" in str(pool.view().last_error)
            asking.cancel()
        finally:
            await pool.stop()

    asyncio.run(scene())


def test_an_arbiter_to_which_too_much_is_to_be_told_does_not_start(bench: Bench) -> None:
    told = asyncio.run(start(bench, "", env={"X": "x" * 100_000, "Y": "y" * 100_000}))
    assert "control message of" in told


class Owner:
    """Notes what a slot tells."""

    def __init__(self) -> None:
        self.escaped = asyncio.Event()

    def slot_ready(self, slot: Slot) -> None:
        """It will not be."""

    def slot_answered(self, slot: Slot, frames: list[Frame]) -> None:
        """It has no event."""

    def slot_gone(self, slot: Slot) -> None:
        """It is told when it escapes."""

    def slot_escaped(self, slot: Slot) -> None:
        self.escaped.set()


def test_a_slot_that_outlives_its_kill_is_told_to_its_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "KILL_GRACE", 0.01)

    async def scene() -> None:
        owner = Owner()
        slot = Slot(1, owner, 1024)
        slot.hand_over(lambda fds: None)
        slot.kill("it ran past its deadline")
        await asyncio.wait_for(owner.escaped.wait(), PATIENCE)
        slot.exited(9)
        await until(lambda: slot.state == "gone", "it is gone")

    asyncio.run(scene())


def test_what_an_instance_has_begun_stays_begun() -> None:
    word = SlotWord()
    for told in (3, 0):
        os.pwrite(word.fd, told.to_bytes(8, "little"), 0)
        assert word.read() == 3
    word.close()
