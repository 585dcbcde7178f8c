"""Tests of what processes have used: each second of a processor counts once."""

import asyncio
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from host.observing.history.axis import time_since_boot
from host.observing.history.processes import KEPT, Processes
from host.observing.proc_stat import TICKS


class Proc:
    """A /proc of a test's own, and who reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "self" / "fd").mkdir(parents=True)
        self.processes = Processes(asyncio.get_running_loop(), folder)

    def use(self, pid: int, seconds: float, born: int) -> None:
        """Let a process have used so much so far."""
        (self.folder / str(pid)).mkdir(exist_ok=True)
        rest = ["S", *["0"] * 10, str(round(seconds * TICKS)), "0", *["0"] * 6, str(born), "0"]
        (self.folder / str(pid) / "stat").write_text(f"{pid} (a b) {' '.join(rest)}")

    async def read(self, *pids: int) -> float:
        """One reading; seconds of a processor that "industry" had so far."""
        self.processes._due = 0.0
        self.processes.want(lambda: {pid: ["industry"] for pid in pids})
        for _ in range(30_000):
            if not self.processes._reading:
                break
            await asyncio.sleep(0.001)
        return self.processes.by_name["industry"].cpu_seconds


def test_a_process_that_was_not_seen_for_a_while_is_not_counted_again(tmp_path: Path) -> None:
    async def run() -> None:
        proc, boot = Proc(tmp_path), round(time_since_boot() * TICKS)
        proc.use(7, 5.0, boot - 100)
        assert await proc.read(7) == 5.0
        assert await proc.read() == 5.0
        proc.use(7, 6.0, boot - 100)
        assert await proc.read(7) == 6.0
        for _ in range(KEPT + 1):
            await proc.read()
        assert await proc.read(7) == 6.0
        proc.use(7, 6.5, boot - 100)
        assert await proc.read(7) == 6.5

    asyncio.run(run())


def test_another_process_of_the_same_number_counts_in_full(tmp_path: Path) -> None:
    async def run() -> None:
        proc, boot = Proc(tmp_path), round(time_since_boot() * TICKS)
        proc.use(7, 5.0, boot - 100)
        await proc.read(7)
        proc.use(7, 1.0, boot + 100)
        assert await proc.read(7) == 6.0

    asyncio.run(run())


def refuse(path: Path) -> list[str]:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


@pytest.mark.parametrize("refused", ["listdir", "open"])
def test_where_no_more_files_can_be_opened_that_is_said_once_and_tried_again(
    refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(refuse: Callable[..., object]) -> None:
        proc, boot = Proc(tmp_path), round(time_since_boot() * TICKS)
        proc.use(7, 5.0, boot - 100)
        await proc.read(7)
        with monkeypatch.context() as patched:
            patched.setattr(os, refused, refuse)
            for _ in range(3):
                assert await proc.read(7) == 5.0
        proc.use(7, 6.0, boot - 100)
        assert await proc.read(7) == 6.0

    asyncio.run(run(lambda path, *rest: refuse(path)))
    assert caplog.text.count("cannot be read for now") == 1 and "Traceback" not in caplog.text
