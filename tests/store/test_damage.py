"""A damaged file never stops the store and never changes a row: it is noticed, counted, and read on."""

import asyncio
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.mqtt.clients import play, until
from tests.store.stores import LANE, SESSION, TARGET, event, files, invocation, letter, opened, result
from triggers.store.changes import AddEvents, AddLetters, AddResults, SaveInvocation, SaveMoment
from triggers.store.database import PAGE, NewerDatabaseError
from triggers.store.failpoints import Failpoints
from triggers.store.rows import EventRow, ResultRow, Source
from triggers.store.salvage import MOST_ASIDES, salvage
from triggers.store.store import DeliveryStore, LetterQuery

Rows = dict[int, EventRow | ResultRow]
PLACES = 60
SIZES = (50, 300, 9000)


async def read_all(store: DeliveryStore) -> Rows:
    events = await store.read_events(LANE, 0, 9999)
    results = await store.read_results(TARGET, 0, 9999)
    return {row.seq: row for row in events} | {row.seq: row for row in results}


async def fill(live: Path, folder: Path) -> Rows:
    """Some hundred rows, half of them in the log only, as a crash would leave them in `folder`."""
    chance = random.Random(1)
    async with opened(live / "d.db") as store:
        for number in range(30):
            source = Source(SESSION, number, b"digest")
            bodies = [chance.randbytes(chance.choice(SIZES)) for _ in range(7)]
            await store.submit(
                AddEvents(tuple(event(store.next_seq(), body, source=source) for body in bodies))
            )
    async with opened(live / "d.db") as store:
        for _ in range(15):
            payloads = [chance.randbytes(chance.choice(SIZES)) for _ in range(7)]
            answers = tuple(result(store.next_seq(), payload) for payload in payloads)
            await store.submit(AddResults(answers), AddEvents((event(store.next_seq()),)))
        for name in ("d.db", "d.db-wal"):
            shutil.copy(live / name, folder / name)
        return await read_all(store)


def damage(folder: Path, chance: random.Random) -> str:
    """One byte or one page of the file or its log."""
    path = folder / chance.choice(("d.db", "d.db", "d.db-wal"))
    data = bytearray(path.read_bytes())
    if chance.random() < 0.5:
        place = chance.randrange(len(data))
        data[place] ^= chance.randrange(1, 256)
    else:
        place = chance.randrange(len(data) // PAGE) * PAGE
        data[place : place + PAGE] = chance.choice((bytes(PAGE), chance.randbytes(PAGE)))
    path.write_bytes(data)
    return f"{path.name} at {place}"


def test_no_damage_stops_the_store_or_changes_a_row(tmp_path: Path) -> None:
    live, sound = tmp_path / "live", tmp_path / "sound"
    live.mkdir()
    sound.mkdir()

    async def one(rows: Rows, seed: int) -> int:
        folder = tmp_path / str(seed)
        shutil.copytree(sound, folder)
        place = damage(folder, random.Random(seed))
        async with opened(folder / "d.db") as store:
            found = await read_all(store)
            assert {seq: row for seq, row in found.items() if rows.get(seq) != row} == {}, place
            assert len(found) == len(rows) or store.damaged, f"{len(rows) - len(found)} lost unsaid: {place}"
            await store.submit(AddEvents((event(store.next_seq()),)))
            assert len(await read_all(store)) == len(found) + 1, place
        return len(found)

    async def scene() -> None:
        rows = await fill(live, sound)
        assert len(rows) == 330
        kept = [await one(rows, seed) for seed in range(PLACES)]
        assert sum(kept) > 0.9 * len(rows) * PLACES

    play(scene())


@pytest.mark.parametrize("place", [*range(0, 100, 7), 18, 20, 31, 60])
def test_a_damaged_header_costs_no_row(tmp_path: Path, place: int) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        async with opened(path) as store:
            await store.submit(AddEvents(tuple(event(seq, b"x" * 900) for seq in range(1, 101))))
        data = bytearray(path.read_bytes())
        data[place] ^= 0x41
        path.write_bytes(data)
        async with opened(path) as store:
            assert len(await read_all(store)) == 100
            await store.submit(AddEvents((event(101),)))

    play(scene())


@pytest.mark.parametrize("content", [b"", b"\x00" * 50_000, b"no database\n" * 5000, b"SQLite format 3\x00"])
def test_a_file_that_is_no_database_makes_way_for_one(tmp_path: Path, content: bytes) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        path.write_bytes(content)
        async with opened(path) as store:
            await store.submit(AddEvents((event(1),)))
            assert len(await read_all(store)) == 1
            assert bool(store.damaged) == bool(content)
        aside = files(tmp_path, "d.damaged-*Z.db")
        assert len(aside) == bool(content)
        assert all(each.read_bytes() == content for each in aside)

    play(scene())


def test_rows_of_every_kind_are_saved_from_a_damaged_file(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        async with opened(path) as store:
            await store.submit(AddEvents((event(1),)), AddResults((result(2),)), AddLetters((letter(3),)))
            await store.submit(SaveInvocation(invocation("a")), SaveMoment("timer", 5.0))
        data = path.read_bytes()
        path.write_bytes(bytes(PAGE) + data[PAGE:])
        async with opened(path) as store:
            assert await read_all(store) == {1: event(1), 2: result(2)}
            assert await store.letters(LetterQuery()) == [letter(3)] and store.letter_count == 1
            assert await store.invocation("a") == invocation("a")
            assert await store.moments() == {"timer": 5.0}
            assert store.next_seq() == 4 and store.damaged

    play(scene())


def test_a_row_that_changes_under_an_open_store_is_set_aside(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        async with opened(path) as store:
            await store.submit(AddEvents(tuple(event(seq) for seq in (1, 2, 3))))
            with closing(sqlite3.connect(path)) as other, other:
                other.execute("UPDATE events SET body = x'00' WHERE seq = 2")
            assert [row.seq for row in await store.read_events(LANE, 0, 2)] == [1, 3]
            await until(lambda: store.damaged == 1, "the row was set aside")
            assert [row.seq for row in await store.read_events(LANE, 0, 2)] == [1, 3]
            with closing(sqlite3.connect(path)) as other:
                ((origin, raw),) = other.execute("SELECT origin, raw FROM damaged").fetchall()
                assert origin == "events" and "event-2" in raw
        async with opened(path) as store:
            assert store.lanes[LANE].count == 2 and store.damaged == 0

    play(scene())


def test_a_row_that_changed_while_the_store_was_closed_is_not_counted_as_waiting(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        async with opened(path) as store:
            await store.submit(
                AddEvents(tuple(event(seq, source=Source(SESSION, seq, b"d")) for seq in (1, 2)))
            )
        with closing(sqlite3.connect(path)) as other, other:
            other.execute(
                "UPDATE events SET source = (SELECT source FROM events WHERE seq = 1) WHERE seq = 2"
            )
        async with opened(path) as store:
            assert store.damaged == 1 and store.lanes[LANE].count == 1
            assert set(store.known(SESSION)) == {(1, b"d")}

    play(scene())


def test_a_file_damaged_under_an_open_store_is_replaced_without_a_restart(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        async with opened(path) as store:
            await store.submit(AddEvents(tuple(event(seq, b"x" * 900) for seq in range(1, 201))))
        async with opened(path) as store:
            size = path.stat().st_size
            with path.open("r+b") as file:
                file.seek(size // 2 // PAGE * PAGE)
                file.write(random.Random(2).randbytes(3 * PAGE))
            reads = await asyncio.gather(*(store.read_events(LANE, 0, 999) for _ in range(3)))
            seqs = {row.seq for row in reads[0]}
            assert 150 < len(seqs) < 200 and store.damaged
            assert all({row.seq for row in each} == seqs for each in reads)
            await store.submit(AddEvents((event(999),)))
            assert len(await read_all(store)) == len(seqs) + 1
            assert store.trouble is None
        assert len(files(tmp_path, "d.damaged-*.db")) == 1

    play(scene())


def test_a_salvage_that_a_crash_has_interrupted_is_brought_to_its_end(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        async with opened(path) as store:
            await store.submit(AddEvents((event(1),)))
        # Between the two renames.
        salvage(path, ValueError("in a test"), Failpoints())
        path.rename(tmp_path / "d.salvaged.db")
        async with opened(path) as store:
            assert await read_all(store) == {1: event(1)}
        # Before the first of them.
        shutil.copy(path, tmp_path / "d.salvaged.db")
        async with opened(path) as store:
            assert await read_all(store) == {1: event(1)}
        assert not (tmp_path / "d.salvaged.db").exists()

    play(scene())


def test_a_newer_database_is_left_alone_with_what_to_do(tmp_path: Path) -> None:
    async def scene() -> None:
        path = tmp_path / "d.db"
        async with opened(path) as store:
            await store.submit(AddEvents((event(1),)))
        with closing(sqlite3.connect(path)) as other:
            (application,) = other.execute("PRAGMA application_id").fetchone()
            other.execute("PRAGMA user_version = 7")
            other.execute(f"PRAGMA application_id = {application + 6}")
        with pytest.raises(NewerDatabaseError, match=r"newer fnhost .*start that fnhost"):
            await DeliveryStore(path).open()
        assert files(tmp_path) == [path]

    play(scene())


def test_a_file_that_is_damaged_again_and_again_does_not_fill_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "delivery.db"

    async def damage() -> None:
        path.write_bytes(b"no database" * 1000)
        store = DeliveryStore(path)
        await store.open()
        await store.close()

    for _ in range(MOST_ASIDES + 2):
        asyncio.run(damage())
    assert len(list(tmp_path.glob("delivery.damaged-*.db"))) == MOST_ASIDES
