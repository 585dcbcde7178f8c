"""Records on disk: written in the background, read with those in memory, bounded, and worth no trouble."""

import asyncio
import logging
import sqlite3
import tracemalloc
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from conf.observing import Records as Rules
from host.observing.records.part import RecordsPart
from host.observing.records.record import Record
from host.observing.records.records import Records
from host.observing.records.redaction import Paths
from host.observing.records.sealing import View, seal, summarize
from host.observing.records.store import Choice, RecordStore
from runtime.events import FunctionRaisedError
from tests.mqtt.clients import until
from tests.observing.told import late, ok, run_of, spec_of

MIB = 1024 * 1024
FAILED = Choice(failed=True)


class Kept:
    """Records and their part, on a file."""

    def __init__(self, file: Path, **rules: Any) -> None:
        given = Rules(**{"sample": 1.0, **rules})
        self.records = Records(given)
        self.part = RecordsPart(self.records, RecordStore(file, given))

    def add(self, count: int, failed: bool = False, function: str = "industry") -> None:
        for _ in range(count):
            outcome = FunctionRaisedError("E", "\ud800", []) if failed else ok()
            self.records.ended(run_of(spec_of(function), outcome))

    def numbers(self, result: str) -> tuple[int, int, int]:
        told = self.part.totals()["totals"][result]
        return told["made"], told["forgotten"], told["kept"]


def live(kept: Kept, work: Callable[[], Awaitable[Any]]) -> Any:
    async def scenario() -> Any:
        await kept.part.setup()
        await kept.part.start()
        try:
            return await work()
        finally:
            await kept.part.stop()

    return asyncio.run(scenario())


def numbers(views: list[View]) -> list[int]:
    return [each["number"] for each in views]


def test_records_are_there_at_once_and_after_the_next_start(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    first = Kept(file)

    async def before() -> None:
        first.add(2)
        await first.part.flush()
        first.add(1, failed=True)
        assert numbers(await first.part.page(Choice(), 10)) == [3, 2, 1]

    live(first, before)
    assert file.stat().st_mode & 0o777 == 0o600
    second = Kept(file)

    async def after() -> None:
        second.add(1)
        page = await second.part.page(Choice(), 10)
        assert numbers(page) == [4, 3, 2, 1]
        (whole,) = await second.part.of(page[1]["id"])
        assert summarize(whole) == page[1]
        assert second.numbers("ok") == (1, 0, 3)

    live(second, after)


def test_pages_are_chosen_by_function_result_trigger_and_time(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "records.db")

    async def work() -> None:
        for _ in range(2):
            kept.add(1)
            kept.add(1, failed=True, function="trend")
            kept.records.ended(run_of(spec_of(), late(), trigger="other"))
            await kept.part.flush()
        kept.add(1, failed=True)
        page = kept.part.page
        assert numbers(await page(Choice(failed=True), 10)) == [7, 6, 5, 3, 2]
        assert numbers(await page(Choice(failed=True, before=6), 2)) == [5, 3]
        assert numbers(await page(Choice(function="trend"), 10)) == [5, 2]
        assert numbers(await page(Choice(result="timeout"), 1)) == [6]
        assert numbers(await page(Choice(trigger="other"), 9)) == [6, 3]
        assert await page(Choice(since=kept.records.now() + 1000), 9) == []

    live(kept, work)


def test_a_page_takes_little_memory_however_large_its_records_are(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "records.db", body=MIB)

    async def work() -> None:
        for _ in range(2):
            for _ in range(12):
                run = run_of(spec_of(), FunctionRaisedError("E", "m" * 8000, []))
                run.event.body = b"x" * MIB
                kept.records.ended(run)
            await kept.part.flush()
        tracemalloc.start()
        try:
            pages = await asyncio.gather(*(kept.part.page(FAILED, 1000) for _ in range(3)))
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert [numbers(page) for page in pages] == [list(range(24, 0, -1))] * 3
        assert most < 8 * MIB
        assert {each["size"] for each in pages[0]} == {MIB}

    live(kept, work)


def test_what_is_too_much_on_disk_gives_way_and_is_counted(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "records.db", most=10)

    async def work() -> None:
        for _ in range(4):
            kept.add(5)
            kept.add(4, failed=True)
            await kept.part.flush()
        page = await kept.part.page(Choice(), 100)
        assert Counter(each["result"] for each in page) == Counter(ok=1, raised=9)
        assert kept.numbers("ok") == (20, 19, 1)
        assert kept.numbers("raised") == (16, 7, 9)

    live(kept, work)


def test_old_records_go(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    kept = Kept(file)

    async def work() -> None:
        kept.add(3)

    live(kept, work)
    with sqlite3.connect(file) as database:
        database.execute("UPDATE records SET ended = ended - 8 * 86400 WHERE number < 3")
    database.close()
    later = Kept(file)

    async def after() -> None:
        assert later.numbers("ok") == (0, 0, 3)
        await later.part.flush()
        assert numbers(await later.part.page(Choice(), 10)) == [3]
        assert later.numbers("ok") == (0, 0, 1)

    live(later, after)


def test_a_flood_of_failures_is_written_as_it_comes_and_none_is_lost(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "records.db")

    def fail() -> None:
        run = run_of(spec_of(), FunctionRaisedError("E", "m", ["Traceback"]))
        run.event.body = b"x" * 6000
        kept.records.ended(run)

    async def work() -> None:
        for _ in range(5000):
            fail()
            if kept.records.shelf.is_filling:
                await until(lambda: not kept.records.shelf.is_filling, "the disk takes them before more come")
        assert kept.numbers("raised") == (5000, 0, 5000)

    live(kept, work)
    assert kept.numbers("raised") == (5000, 0, 5000)


@pytest.mark.parametrize("damage", [b"no database", b""])
def test_a_damaged_file_is_put_aside(tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "records.db"
    file.write_bytes(damage * 1000)
    kept = Kept(file)

    async def work() -> None:
        kept.add(1)
        await kept.part.flush()
        assert numbers(await kept.part.page(Choice(), 10)) == [1]

    live(kept, work)
    assert ("put aside" in caplog.text) == bool(damage)


def test_records_lost_with_a_damaged_file_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "records.db"
    kept = Kept(file)

    async def work() -> None:
        kept.add(3)
        await kept.part.flush()
        store = kept.part._store
        store.close()
        file.write_bytes(b"no database" * 1000)
        kept.add(2)
        await kept.part.flush()
        assert kept.numbers("ok") == (5, 3, 2)

    live(kept, work)


def test_a_disk_that_takes_nothing_is_said_once_and_keeps_nobody_from_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "away" / "records.db"
    kept = Kept(file)

    async def work() -> None:
        with caplog.at_level(logging.WARNING):
            kept.add(2)
            await kept.part.flush()
            assert numbers(await kept.part.page(FAILED, 10)) == []
            page = await kept.part.page(Choice(), 10)
            assert len(page) == 2
            assert kept.part.totals()["trouble"] is not None
            file.parent.mkdir()
            await kept.part.flush()
        assert numbers(await kept.part.page(Choice(), 10)) == numbers(page)

    live(kept, work)
    assert caplog.text.count("cannot be written") == 1
    assert caplog.text.count("can be written again") == 1


def test_no_error_ends_the_writing_or_loses_what_was_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept(tmp_path / "records.db")
    failed, again = (f"writing records of invocations: {how}" for how in ("failed", "works again"))
    monkeypatch.setattr("host.observing.records.part.SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr("host.observing.records.part.FLUSH_EVERY", 0.01)

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    async def work() -> None:
        with monkeypatch.context() as short:
            short.setattr(RecordStore, "write", refuse)
            kept.add(1)
            await until(lambda: failed in caplog.text, "it is said")
            assert numbers(await kept.part.page(Choice(), 10)) == [1]
        await until(lambda: again in caplog.text, "it is written after all")

    live(kept, work)
    assert sum(each.levelno == logging.ERROR for each in caplog.records) == 1
    assert kept.numbers("ok") == (1, 0, 1)


def test_a_record_that_cannot_be_shown_is_left_out_and_keeps_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(tmp_path / "records.db")

    def seal_all_but_one(record: Record, paths: Paths) -> View:
        if record.number == 2:
            raise ValueError("nobody foresaw this")
        return seal(record, paths)

    monkeypatch.setattr("host.observing.records.part.seal", seal_all_but_one)

    async def work() -> None:
        kept.add(3)
        assert numbers(await kept.part.page(Choice(), 10)) == [3, 1]
        await kept.part.flush()
        assert numbers(await kept.part.page(Choice(), 10)) == [3, 1]

    live(kept, work)
    assert kept.numbers("ok") == (3, 1, 2)
