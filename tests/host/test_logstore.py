"""The newest log lines are in memory, within bounds over all functions; older ones are read from disk."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from host.logs import store as logstore
from host.logs.recent_lines import LINE_COST, RecentLines
from host.logs.store import LogStore
from runtime.loglines import LogLine


def line(function: str, number: int, text: str = "line") -> LogLine:
    return LogLine(float(number), "INFO", "", f"{function}@1", f"{text} {number}")


def numbers(lines: list[LogLine]) -> list[int]:
    return [int(each.time) for each in lines]


def run(folder: Path, act: Callable[[LogStore], Awaitable[None]], size: int = logstore.SIZE) -> None:
    """Do it with a log store, then close that."""

    async def scene() -> None:
        store = LogStore(folder, size)
        await act(store)
        await store.close()

    asyncio.run(scene())


async def write(store: LogStore, function: str, count: range, text: str = "line") -> None:
    for number in count:
        store.append(line(function, number, text))


def test_who_has_written_nothing_for_longest_loses_its_oldest_lines_first() -> None:
    lines = RecentLines(3, 5 * (LINE_COST + 60))
    for function, number in (("a", 1), ("b", 2), ("b", 3), ("a", 4), ("c", 5), ("c", 6), ("c", 7), ("c", 8)):
        lines.append(function, line(function, number))
    assert [numbers(lines.of(function)) for function in "abc"] == [[1, 4], [], [6, 7, 8]]
    lines.forget("a")
    for number in range(10):
        lines.append("d", line("d", number, "x" * LINE_COST))
    assert (numbers(lines.of("c")), numbers(lines.of("d"))) == ([], [8, 9])
    assert list(lines.take()) == ["d"] and not lines


def test_a_line_larger_than_the_room_is_not_kept() -> None:
    lines = RecentLines(3, LINE_COST)
    lines.append("a", line("a", 1))
    assert not lines and lines.of("a") == []


def test_lines_of_an_earlier_life_come_before_those_of_this_one(tmp_path: Path) -> None:
    run(tmp_path, lambda store: write(store, "f", range(5), "a\u2028b"))

    async def again(store: LogStore) -> None:
        assert numbers(await store.tail("f", 3)) == [2, 3, 4]
        await write(store, "f", range(5, 8))
        assert numbers(await store.tail("f", 6)) == [2, 3, 4, 5, 6, 7]
        assert numbers(await store.tail("f", 2)) == [6, 7]
        await store.close()
        await write(store, "f", range(8, 9))
        assert numbers(await store.tail("f", 100)) == list(range(9))
        assert await store.tail("unknown", 5) == []

    run(tmp_path, again)


def test_what_had_no_room_in_memory_is_still_read_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logstore, "MEMORY", 20 * LINE_COST)

    async def act(store: LogStore) -> None:
        for function in "abc":
            await write(store, function, range(10))
            await store.close()
        assert [numbers(await store.tail(function, 100)) for function in "abc"] == [list(range(10))] * 3

    run(tmp_path, act)


def test_a_file_that_began_anew_holds_nothing_that_memory_lacks(tmp_path: Path) -> None:
    async def act(store: LogStore) -> None:
        for start in (0, 5):
            await write(store, "f", range(start, start + 5))
            await store.close()
        assert numbers(await store.tail("f", 100)) == list(range(10))

    run(tmp_path, act, 1000)
    assert {oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()} == {"0o600"}
    assert (tmp_path / "f.log.1").exists()


def on_disk(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def test_a_log_of_its_full_size_stays_whole_and_one_line_more_begins_a_file_anew(tmp_path: Path) -> None:
    run(tmp_path, lambda store: write(store, "f", range(1, 9)))
    half = on_disk(tmp_path) // 2

    async def act(store: LogStore) -> None:
        await write(store, "g", range(1, 9))
        await store.close()
        assert [(tmp_path / name).stat().st_size for name in ("g.log", "g.log.1")] == [half, half]
        await write(store, "g", range(9, 10))
        await store.close()
        assert (tmp_path / "g.log").read_text().count("\n") == 1

    run(tmp_path, act, 2 * half)


def test_many_lines_at_once_take_no_more_disk_than_the_log_may_have(tmp_path: Path) -> None:
    run(tmp_path, lambda store: write(store, "f", range(5000), "x" * 100), 20_000)
    assert 10_000 < on_disk(tmp_path) <= 20_000


def test_a_line_that_comes_while_others_are_written_is_written_soon_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logstore, "FLUSH_EVERY", 0.01)

    async def act(store: LogStore) -> None:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        write_all = store._write
        written = asyncio.Event()

        def slowly(pending: dict[str, deque[LogLine]]) -> None:
            if not begun.is_set():
                asyncio.run_coroutine_threadsafe(append_second(), loop).result(10)
            write_all(pending)
            if (tmp_path / "g.log").exists():
                loop.call_soon_threadsafe(written.set)

        async def append_second() -> None:
            begun.set()
            await write(store, "g", range(1))

        monkeypatch.setattr(store, "_write", slowly)
        await write(store, "f", range(1))
        await asyncio.wait_for(written.wait(), 10)

    run(tmp_path, act)
