"""What the store does when there is too little room: it says so, keeps what it has, and goes on by itself."""

import asyncio
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mqtt.clients import play, until
from tests.store.stores import LANE, PLENTY, TARGET, event, invocation, letter, opened, result
from triggers.store.batch import Batch
from triggers.store.changes import (
    AddEvents,
    AddLetters,
    AddResults,
    Change,
    DropEvents,
    DropResults,
    SaveInvocation,
    SaveMoment,
)
from triggers.store.failpoints import Failpoints
from triggers.store.found import find_all
from triggers.store.opening import open_database
from triggers.store.retention import Retention
from triggers.store.rows import NEVER
from triggers.store.store import DeliveryStore, LetterQuery, StoreClosedError, StoreLimits

MIB = 1024 * 1024
SMALL = replace(PLENTY, quota=MIB)


def fill(store: DeliveryStore, share: float) -> list[int]:
    """Submit events until `share` of the quota of 1 MiB is used."""
    seqs = []
    while store.used < share * MIB:
        seqs.append(store.next_seq())
        store.submit(AddEvents((event(seqs[-1], b"x" * 10_000),)))
    return seqs


def test_intake_stops_at_four_fifths_and_what_is_under_way_comes_to_its_end(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db", SMALL) as store:
            seqs = fill(store, 0.85)
            assert not store.takes_in
            await store.submit()
            assert store.trouble is None
            assert " KiB of the 1 MiB" in store.why_not and "drop dead letters" in store.why_not
            for seq in seqs:
                answer = result(store.next_seq(), b"y" * 10_000)
                await store.submit(DropEvents((seq,)), AddResults((answer,)))
            assert store.trouble is None and not store.takes_in
            answers = await store.read_results(TARGET, 0, 999)
            assert len(answers) == len(seqs)
            await store.submit(DropResults(tuple(row.seq for row in answers)))
            assert store.takes_in and store.why_not == "" and store.used < 0.1 * MIB

    play(scene())


def test_a_quota_that_is_full_after_all_lets_nothing_go_and_is_emptied_by_what_comes_behind(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db", SMALL) as store:
            kept = fill(store, 0.7)
            await store.submit()
            first = store.next_seq()
            stuck = store.submit(AddEvents(tuple(event(first + n, b"z" * 10_000) for n in range(60))))
            await until(lambda: store.trouble is not None, "the quota was full")
            assert store.trouble and "no room" in store.trouble and "allow it more" in store.trouble
            assert store.why_not == store.trouble and not store.takes_in and not stuck.done()
            assert len(await store.read_events(LANE, 0, 999)) == len(kept)
            # What makes room waits behind what wants it.
            await store.submit(DropEvents(tuple(kept)))
            assert stuck.done() and store.trouble is None
            assert len(await store.read_events(LANE, first, 999)) == 60

    play(scene())


def test_what_finds_no_room_is_overtaken_by_what_does_but_not_in_its_own_lane(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db", SMALL) as store:
            kept = fill(store, 0.7)
            await store.submit()
            first = store.next_seq()
            store.submit(AddEvents(tuple(event(first + n, b"z" * 10_000) for n in range(90))))
            dropped = store.submit(DropEvents((first,)))
            behind = store.submit(AddEvents((event(first + 100),)))
            moment = store.submit(SaveMoment("nightly", 1.0))
            other = store.submit(AddEvents((event(first + 101, lane="async/trend"),)))
            await other
            await store.submit(SaveInvocation(invocation("a")), DropEvents((kept[0],)))
            assert store.trouble is not None and not store.takes_in
            assert not any(each.done() for each in (dropped, behind, moment))
            assert len(await store.read_events(LANE, 0, 999)) == len(kept) - 1
            await store.submit(DropEvents(tuple(kept)))
            await asyncio.gather(dropped, behind, moment)
            assert store.trouble is None
            found = [row.seq for row in await store.read_events(LANE, 0, 999)]
            assert found == [*range(first + 1, first + 90), first + 100]

    play(scene())


def test_a_unit_larger_than_the_quota_fails_at_once(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db", SMALL) as store:
            with pytest.raises(ValueError, match="more than the quota"):
                await store.submit(AddEvents((event(1, bytes(2 * MIB)),)))
            await store.submit(AddEvents((event(2),)))

    play(scene())


def test_a_disk_that_refuses_makes_all_wait_and_nothing_is_lost(tmp_path: Path) -> None:
    """Somebody's lock is the refusal that a test can bring about and end."""

    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            await store.submit(AddEvents((event(1),)))
            other = sqlite3.connect(tmp_path / "d.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            futures = [store.submit(AddEvents((event(seq),))) for seq in range(2, 500)]
            await until(lambda: store.trouble is not None, "the store said that it cannot write")
            assert store.trouble and "cannot be written" in store.trouble and "locked" in store.trouble
            assert not any(each.done() for each in futures)
            assert len(await store.read_events(LANE, 0, 9)) == 1
            other.close()
            await asyncio.gather(*futures)
            assert store.trouble is None and store.takes_in
            assert [row.seq for row in await store.read_events(LANE, 0, 999)] == list(range(1, 500))

    play(scene())


def test_a_store_that_is_closed_while_the_disk_refuses_says_what_was_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triggers.store.writer.CLOSING", 0.5)

    async def scene() -> None:
        async with opened(tmp_path / "d.db", SMALL) as store:
            fill(store, 0.7)
            stuck = store.submit(AddEvents(tuple(event(1000 + n, b"z" * 10_000) for n in range(60))))
            behind = store.submit(AddEvents((event(2000),)))
            await until(lambda: store.trouble is not None, "the quota was full")
            await store.close()
            for each in (stuck, behind):
                with pytest.raises(StoreClosedError, match="no room"):
                    await each

    play(scene())


def test_too_little_free_disk_stops_intake_but_not_what_is_under_way(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db", StoreLimits(min_free=0)) as store:
            assert store.takes_in
            # A floor above what is free, which no real disk has been made small enough for.
            store._quota._floor = 2**62
            assert not store.takes_in and "disk" in store.why_not and "free some" in store.why_not
            await store.submit(AddEvents((event(1),)))
            await until(lambda: store.takes_in, "the disk was looked at again")

    play(scene())


def test_the_oldest_dead_letters_give_way_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db", replace(PLENTY, letters=10)) as store:
            for seq in range(1, 26):
                await store.submit(AddLetters((letter(seq),)))
            await until(lambda: store.letter_count == 10, "the oldest were dropped")
            assert store.dropped_letters == 15
            assert [each.seq for each in await store.letters(LetterQuery())] == list(range(25, 15, -1))
        async with opened(tmp_path / "d.db", SMALL) as store:
            await store.submit(AddLetters(tuple(letter(seq, b"x" * 10_000) for seq in range(30, 60))))
            await until(lambda: store.dropped_letters > 0, "dead letters took more than their share")
            found = await store.letters(LetterQuery())
            assert found[0].seq == 59 and 15 <= len(found) <= 21
            assert store.letter_count == len(found)

    with caplog.at_level(logging.WARNING):
        play(scene())
    first = next(each for each in caplog.messages if each.startswith("dropped for good"))
    bounds = r"\(at most 10, for 30 days, within a fifth of limits\.delivery\)"
    assert re.fullmatch(rf"dropped for good: \d+ dead letters? {bounds}", first)
    assert caplog.text.count("dropped for good") <= 3, "not each time"


def test_invocations_that_ended_take_a_fifth_at_most_and_the_oldest_give_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db", SMALL) as store:
            called = replace(invocation("called", "done", "waiting", expires=1.0), body=b"x" * 10_000)
            await store.submit(SaveInvocation(called), SaveInvocation(invocation("waits", expires=1.0)))
            off = invocation("off", "cancelled", expires=NEVER)
            await store.submit(SaveInvocation(off))
            for n in range(60):
                record = replace(invocation(f"a{n}", "done", expires=1e9 + n), body=b"x" * 10_000)
                await store.submit(SaveInvocation(record))
            await until(lambda: store.dropped_invocations >= 40, "they took more than their share")
            kept = [n for n in range(60) if await store.invocation(f"a{n}")]
            assert kept == list(range(store.dropped_invocations, 60)) and len(kept) >= 15
            assert all([await store.invocation(each) for each in ("called", "waits", "off")])
            assert store.takes_in

    with caplog.at_level(logging.WARNING):
        play(scene())
    assert "asynchronous invocation" in caplog.text and "limits.result_age" in caplog.text


def test_what_is_too_old_is_dropped_by_the_time_the_host_ran(tmp_path: Path) -> None:
    limits = replace(PLENTY, result_age=5000.0, letter_age=9000.0)
    now = 0.0

    @contextmanager
    def started() -> Iterator[Callable[..., tuple[int, int]]]:
        """Write a change; then so many seconds pass. What was dropped is told: dead letters and results."""
        with closing(open_database(tmp_path / "d.db", Failpoints()).database) as database:
            retention = Retention(limits, lambda: now)
            retention.start(find_all(database))

            def step(seconds: float, *changes: Change) -> tuple[int, int]:
                nonlocal now
                batch = Batch(database)
                for change in changes:
                    batch.add(change)
                batch.write()
                retention.save_marks(database)
                retention.note(batch)
                for _ in range(round(seconds / 600)):
                    now += 600
                    assert retention.is_due()
                    retention.dropped(retention.drop(database))
                return retention.dropped_letters, retention.dropped_results

            yield step

    with started() as step:
        assert step(3000, AddResults((result(1),))) == (0, 0)
        assert step(0, AddLetters((letter(2),))) == (0, 0)
    now = 9e9  # the clock of another start of the machine
    with started() as step:
        assert step(1800, AddResults((result(3),))) == (0, 0)
        assert step(1800, AddResults((result(4),))) == (0, 1)
    now = -9e9
    with started() as step:
        assert step(3600, AddResults((result(5),))) == (0, 0)
        assert step(6000, AddLetters((letter(6),))) == (1, 3)
        assert step(36000) == (2, 3)
    with closing(open_database(tmp_path / "d.db", Failpoints()).database) as database:
        found = find_all(database)
        assert (found.targets, found.letters) == ({}, {}) and found.top > 0
        assert len(found.marks) < 20
