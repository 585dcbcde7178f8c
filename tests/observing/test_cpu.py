"""Processor time of functions is added up from what the kernel says, and never goes down."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from host.observing.metrics.cpu import CpuPart, CpuTimes, Reading, Told, read_times
from runtime.pool import Pool
from tests.observing.told import spec_of


class StubPool:
    """What is looked at of a pool."""

    def __init__(self, function: str, **more: Any) -> None:
        self.spec = replace(spec_of(function), **more)


def told(pool: StubPool, sharers: int = 1) -> Told:
    return Told(pool, (7,), sharers)  # type: ignore[arg-type]


def write_stat(proc: Path, pid: int, ticks: tuple[int, int, int, int], began: int = 5000) -> None:
    """A process called `a) b` with these times."""
    folder = proc / str(pid)
    folder.mkdir(exist_ok=True)
    before, after = "S 1 1 1 0 -1 4194560 100 0 0 0", "20 0 1 0"
    folder.joinpath("stat").write_text(
        f"{pid} (a) b) {before} {' '.join(map(str, ticks))} {after} {began} 0\n"
    )


def test_an_arbiter_is_read_with_its_instances_and_with_those_it_has_reaped(tmp_path: Path) -> None:
    write_stat(tmp_path, 7, (100, 50, 30, 20))
    write_stat(tmp_path, 8, (200, 0, 0, 0))
    assert read_times((7, 8), tmp_path) == Reading(7, 5000, 4.0)
    assert read_times((7, 8, 9), tmp_path) == Reading(7, 5000, 4.0)
    assert read_times((9, 8), tmp_path) is None


def test_a_process_that_cannot_be_read_for_now_is_not_taken_for_one_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "7" / "stat").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        read_times((7,), tmp_path)


def test_what_functions_have_used_never_goes_down() -> None:
    times, pool = CpuTimes(), StubPool("industry")
    for seconds, total in ((4.0, 4.0), (3.5, 4.0), (4.5, 4.5)):
        # In between an instance has ended, and its arbiter had not yet been told of its times.
        times.note(told(pool), Reading(7, 5000, seconds))
        assert times.seconds("industry") == total
    times.note(told(pool), None)
    times.note(told(pool), Reading(7, 9000, 1.0))
    assert times.seconds("industry") == 5.5
    times.note(told(StubPool("industry")), Reading(8, 9100, 2.0))
    assert times.seconds("industry") == 7.5


def test_a_process_that_functions_share_counts_a_part_for_each_from_when_they_came() -> None:
    times = CpuTimes()
    pools = [StubPool(name, isolation="subinterpreter") for name in ("one", "two")]
    for seconds in (10.0, 14.0):
        for pool in pools:
            times.note(told(pool, sharers=2), Reading(7, 5000, seconds))
    assert (times.seconds("one"), times.seconds("two")) == (2.0, 2.0)


def test_functions_that_are_gone_are_forgotten() -> None:
    times, pool = CpuTimes(), StubPool("industry")
    times.note(told(pool), Reading(7, 5000, 4.0))
    times.retain({"industry"}, [])
    assert times.seconds("industry") == 4.0
    times.retain(set(), [])
    assert times.seconds("industry") == 0.0


def test_a_reading_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host.observing.metrics.cpu.READ_EVERY", 0.0)

    async def scene() -> None:
        faults, again = [RuntimeError("can't start new thread")], asyncio.Event()

        def pools() -> list[Pool]:
            if faults:
                raise faults.pop()
            again.set()
            return []

        part = CpuPart(CpuTimes(), pools, list)
        await part.start()
        await asyncio.wait_for(again.wait(), 10)
        await part.stop()

    asyncio.run(scene())
