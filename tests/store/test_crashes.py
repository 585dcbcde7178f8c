"""What was told as done is there after any crash, and what was told as durable was synced before."""

import asyncio
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.mqtt.clients import play, until
from tests.project.tree import ROOT
from tests.store.stores import LANE, PLENTY, event, opened
from triggers.store.changes import AddEvents
from triggers.store.database import PAGE
from triggers.store.failpoints import VARIABLE
from triggers.store.store import DeliveryStore

DEADLINE = 120.0
ROUNDS = 4


def start(*command: str, point: str = "", lines: int = 0) -> str:
    """Run `command` until it ends, or is killed at `point` or after so many lines; what it said."""
    env = {**os.environ, VARIABLE: point}
    child = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    assert child.stdout
    said: list[str] = []
    end = time.monotonic() + DEADLINE
    with child:
        for line in child.stdout:
            said.append(line)
            if len(said) == lines:
                child.kill()
            assert time.monotonic() < end
    assert child.returncode == (-signal.SIGKILL if point or lines else 0)
    return "".join(said)


def working(path: Path, units: int, *, durable: bool = True) -> tuple[str, ...]:
    """The command that works on a store."""
    return (sys.executable, "-m", "tests.store.working", str(path), str(units), str(int(durable)))


def check(path: Path, said: list[str], whole: int) -> None:
    """All that was told is there, and at most one more step of each life."""
    added = {int(seq) for text in said for line in re.findall("added (.*)", text) for seq in line.split()}
    dropped = {int(seq) for text in said for seq in re.findall("dropped (.*)", text)}

    async def scene() -> None:
        async with opened(path) as store:
            found = {row.seq for row in await store.read_events(LANE, 0, 99_999)}
            assert store.damaged == 0
            assert len((added - dropped) - found) <= whole, "a drop may be done and not told"
            assert not found & dropped
            assert len(found - added) <= 3 * whole, "an addition, too"
            assert store.next_seq() > max(added)

    play(scene())


@pytest.mark.parametrize("durable", [True, False])
def test_a_killed_process_leaves_all_that_it_was_told(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "d.db"
    command = working(path, 10**6, durable=durable)
    said = [start(*command, lines=20 + 17 * number) for number in range(ROUNDS)]
    assert all("added" in each for each in said)
    check(path, said, ROUNDS)


@pytest.mark.parametrize(
    "point",
    [
        *("store.before-commit:1", "store.before-commit:7", "store.committed:1", "store.committed:6"),
        *("store.opening:1", "store.migrating:1", "store.recovered:1", "store.checkpoint:1"),
    ],
)
def test_a_crash_at_any_point_of_the_store_loses_nothing_that_was_told(tmp_path: Path, point: str) -> None:
    path = tmp_path / "d.db"
    said = [start(*working(path, 400), point=point), start(*working(path, 3))]
    check(path, said, 1)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("durable", [True, False])
def test_what_is_durable_is_synced_before_it_is_told(tmp_path: Path, durable: bool) -> None:
    strace = ("strace", "-f", "-s", "12", "-e", "trace=fdatasync,fsync,pwrite64,write")
    start(*strace, "-o", str(tmp_path / "trace"), *working(tmp_path / "d.db", 5, durable=durable))
    calls = (tmp_path / "trace").read_text()
    told = [each.start() for each in re.finditer(r'write\(1, "(added|dropped)', calls)]
    assert len(told) == 10
    between = [calls[start:end] for start, end in pairwise(told)]
    assert all("pwrite64" in each for each in between)
    assert all(("sync(" in each) == durable for each in between)


def test_a_limit_on_the_files_size_is_waited_out(tmp_path: Path) -> None:
    """As a full disk: what may not grow refuses the writer, until there is room again."""
    code = """
import asyncio, resource, signal, sys
from pathlib import Path
from tests.store.test_crashes import starve
asyncio.run(starve(Path(sys.argv[1])))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "d.db")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert done.returncode == 0, done.stderr
    assert "cannot be written" in done.stdout or "no room" in done.stdout

    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            assert [row.seq for row in await store.read_events(LANE, 0, 9999)] == list(range(1, 501))
            assert store.damaged == 0

    play(scene())


async def starve(path: Path) -> None:
    """In a child process: run into the limit, say what the store says, lift it, and see all written."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = DeliveryStore(path, PLENTY)
    await store.open()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100 * PAGE, hard))
    futures = [store.submit(AddEvents((event(seq, b"x" * 2000),))) for seq in range(1, 501)]
    await until(lambda: store.trouble is not None, "the limit was met")
    print(store.why_not)
    assert not store.takes_in
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await asyncio.gather(*futures)
    assert store.trouble is None
    await store.close()
