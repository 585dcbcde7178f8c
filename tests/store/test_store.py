"""What is submitted stands on disk: whole, in order, and told only once it does."""

import asyncio
import gc
import sqlite3
import stat
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.mqtt.clients import play, until
from tests.store.stores import LANE, SESSION, TARGET, event, files, invocation, letter, opened, result
from triggers.store.changes import (
    AddEvents,
    AddLetters,
    AddResults,
    Change,
    DropEvents,
    DropInvocations,
    DropLetters,
    DropResults,
    ForgetSources,
    MoveResults,
    SaveInvocation,
    SaveMoment,
    SaveSeen,
)
from triggers.store.rows import Source
from triggers.store.store import DeliveryStore, LetterQuery, Span, StoreClosedError


def test_rows_of_every_kind_come_back_as_they_were(tmp_path: Path) -> None:
    first = event(1, bytes(range(256)), source=Source(SESSION, 65535, b"\x00\xff"))
    odd = replace(event(2), due=-0.0, key="Grüße 工厂\x00", attempts=0, head={})
    answer, dead, done = result(3, b"\x00" * 9000), letter(4), invocation("a", "done")

    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            await store.submit(AddEvents((first, odd)), AddResults((answer,)), AddLetters((dead,)))
            await store.submit(SaveInvocation(done), SaveMoment("timer", 12.5))
            await store.submit(SaveSeen((("r", "old", 1.0), ("r", "older", 0.5))))
            await store.submit(SaveSeen((("r", "k", 2.5), ("r", "k", 3.5))))
        async with opened(tmp_path / "d.db") as store:
            assert await store.read_events(LANE, 0, 10) == [first, odd]
            assert await store.read_results(TARGET, 0, 10) == [answer]
            assert await store.letter(4) == dead and await store.letter(5) is None
            assert await store.invocation("a") == done and await store.invocation("b") is None
            assert await store.moments() == {"timer": 12.5}
            assert await store.seen() == [("r", "k", 2.5), ("r", "k", 3.5)]
            assert store.damaged == 0 and store.trouble is None and store.why_not == ""

    play(scene())


def test_what_utf_8_cannot_say_is_kept_as_its_escape(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            await store.submit(AddLetters((replace(letter(1), message="bad \ud800 surrogate"),)))
            found = await store.letter(1)
            assert found is not None and found.message == "bad \\ud800 surrogate"

    play(scene())


def test_a_store_tells_what_it_has_found(tmp_path: Path) -> None:
    one, two = Source(SESSION, 1, b"one"), Source(SESSION, 2, b"two")
    other = "mqtt/plant/host-in/trend"

    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            rows = (event(3, source=one), event(5, source=one, lane=other), event(9))
            answers = (result(10, source=two, total=2), result(11, source=two, total=2))
            await store.submit(AddEvents(rows), AddResults((*answers, result(12, source=one, total=2))))
            await store.submit(AddLetters((letter(13),)))
            assert store.lanes == {} and store.known(SESSION) == {}
        async with opened(tmp_path / "d.db") as store:
            assert store.lanes == {LANE: Span(2, 3, 9), other: Span(1, 5, 5)}
            assert store.targets == {TARGET: Span(3, 10, 12, since=1.5e9)}
            assert store.letter_count == 1
            assert store.known(SESSION) == {
                (1, b"one"): {"industry": (3,), "trend": (5,)},
                (2, b"two"): {"industry": (10, 11)},
                (13, b"digest"): {"industry": (13,)},
            }
            assert store.known("another") == {}
            assert store.next_seq() == 14

    play(scene())


@pytest.mark.parametrize("together", [True, False])
def test_changes_add_up_in_their_order(tmp_path: Path, together: bool) -> None:
    """Whether they are one unit, folded in memory, or many transactions."""
    known = Source(SESSION, 1, b"d")
    grown = replace(event(1, b"new"), attempts=9)
    changes: list[Change] = [
        AddEvents((event(1, source=known), event(2, source=known), event(3))),
        AddResults((result(4, source=known), result(5), result(6))),
        DropEvents((1, 3, 99)),
        AddEvents((grown,)),
        ForgetSources((2, 4, 98)),
        DropResults((5,)),
        MoveResults(TARGET, "plant/other"),
        AddResults((result(7),)),
        AddLetters((letter(8), letter(9))),
        DropLetters((8,)),
        ForgetSources((9,)),
        SaveInvocation(invocation("a")),
        SaveInvocation(invocation("b")),
        DropInvocations(("a",)),
    ]

    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            if together:
                await store.submit(*changes)
            else:
                for change in changes:
                    await store.submit(change)
            assert store.commits == (1 if together else len(changes))
            assert await store.read_events(LANE, 0, 10) == [grown, event(2)]
            moved = [replace(result(seq), target="plant/other") for seq in (4, 6)]
            assert await store.read_results("plant/other", 0, 10) == moved
            assert await store.read_results(TARGET, 0, 10) == [result(7)]
            assert await store.letters(LetterQuery()) == [replace(letter(9), source=None)]
            assert await store.invocation("a") is None and await store.invocation("b") is not None
            assert store.letter_count == 1

    play(scene())


def test_a_lane_is_read_page_by_page(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            rows = tuple(event(seq) for seq in range(1, 108))
            await store.submit(AddEvents(rows), AddEvents((event(200, lane="another"),)))
            assert [row.seq for row in await store.read_events(LANE, 0, 60)] == list(range(1, 61))
            assert [row.seq for row in await store.read_events(LANE, 61, 60)] == list(range(61, 108))
            assert await store.read_events(LANE, 0, 0) == []
            assert await store.read_events("nobody's", 0, 9) == []

    play(scene())


def test_dead_letters_are_found_by_what_they_are_of(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            letters = (letter(1), letter(2, function="trend"), letter(3, rule="s"), letter(4))
            await store.submit(AddLetters(letters))

            async def seqs(query: LetterQuery) -> list[int]:
                return [each.seq for each in await store.letters(query)]

            assert await seqs(LetterQuery()) == [4, 3, 2, 1]
            assert await seqs(LetterQuery(function="industry", rule="r")) == [4, 1]
            assert await seqs(LetterQuery(before=3, limit=1)) == [2]
            assert await seqs(LetterQuery(lane="no such")) == []

    play(scene())


def test_invocations_are_found_by_what_is_left_to_do(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            for each in (
                invocation("waits", expires=10.0),
                invocation("runs", "running"),
                invocation("done", "done", expires=5.0),
                invocation("calls", "failed", "waiting"),
            ):
                await store.submit(SaveInvocation(each), durable=False)
            assert {each.id for each in await store.open_invocations()} == {"waits", "runs", "calls"}
            assert await store.expired_invocations(10.0, 9) == ["done", "waits"]
            assert await store.expired_invocations(10.0, 1) == ["done"]

    play(scene())


def test_what_is_told_as_done_is_what_a_reader_sees(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            future = store.submit(AddEvents((event(1),)), AddResults((result(2),)))
            assert not future.done()
            await future
            assert (
                len(await store.read_events(LANE, 0, 9)) == len(await store.read_results(TARGET, 0, 9)) == 1
            )

    play(scene())


def test_units_are_told_in_the_order_of_their_submission_and_in_few_groups(tmp_path: Path) -> None:
    told: list[int] = []

    def note(seq: int, _: "asyncio.Future[None]") -> None:
        told.append(seq)

    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            futures = []
            for seq in range(1, 2001):
                futures.append(store.submit(AddEvents((event(seq),)), durable=seq % 3 == 0))
                futures[-1].add_done_callback(partial(note, seq))
            await asyncio.gather(*futures)
            assert told == list(range(1, 2001))
            assert store.commits < 500

    play(scene())


def test_a_unit_that_is_wrong_in_itself_fails_alone(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path / "d.db") as store:
            units = [store.submit(AddEvents((event(seq),))) for seq in range(1, 41)]
            strange = replace(event(50), head={"nan": float("nan")})
            wrong = [
                store.submit(AddEvents((event(51), strange))),
                store.submit(AddEvents((replace(event(52), head={"set": {1}}),))),
                store.submit(AddEvents((replace(event(53), seq=2**70),))),
                store.submit(AddEvents((replace(event(54), due=float("nan")),))),
            ]
            units += [store.submit(AddEvents((event(seq),))) for seq in range(60, 100)]
            await asyncio.gather(*units)
            for each in wrong:
                with pytest.raises((ValueError, TypeError, OverflowError, sqlite3.IntegrityError)):
                    await each
            seqs = [row.seq for row in await store.read_events(LANE, 0, 999)]
            assert seqs == [*range(1, 41), *range(60, 100)]
            assert store.trouble is None

    play(scene())


def test_a_future_may_be_dropped_whatever_becomes_of_it(tmp_path: Path) -> None:
    complaints: list[object] = []

    async def scene() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with opened(tmp_path / "d.db") as store:
            store.submit(AddEvents((replace(event(1), head={"set": {1}}),)))
            store.submit(AddEvents((event(2),))).cancel()
            await store.submit(AddEvents((event(3),)))
            assert len(await store.read_events(LANE, 0, 9)) == 2
        gc.collect()

    play(scene())
    assert complaints == []


def test_closing_writes_what_was_submitted(tmp_path: Path) -> None:
    async def scene() -> None:
        store = DeliveryStore(tmp_path / "d.db")
        await store.open()
        futures = [store.submit(AddEvents((event(seq),)), durable=False) for seq in range(1, 3001)]
        await store.close()
        await store.close()
        await asyncio.gather(*futures)
        with pytest.raises(StoreClosedError):
            await store.submit(AddEvents((event(9999),)))
        async with opened(tmp_path / "d.db") as again:
            assert again.lanes == {LANE: Span(3000, 1, 3000)}
        assert files(tmp_path) == [tmp_path / "d.db"], "the log was written back"

    play(scene())


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    async def scene() -> None:
        (tmp_path / "d.db").touch(0o666)
        async with opened(tmp_path / "d.db") as store:
            await store.submit(AddEvents((event(1),)))
            assert {stat.S_IMODE(each.stat().st_mode) for each in files(tmp_path)} == {0o600}

    play(scene())


def test_an_idle_store_writes_nothing(tmp_path: Path) -> None:
    ticks: list[float] = []

    def clock() -> float:
        ticks.append(0.0)
        return 0.0

    def state() -> dict[str, tuple[int, int]]:
        found = {name: (tmp_path / name).stat() for name in ("d.db", "d.db-wal")}
        return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items()}

    async def scene() -> None:
        store = DeliveryStore(tmp_path / "d.db", clock=clock)
        await store.open()
        await store.submit(AddEvents((event(1),)))
        await store.read_events(LANE, 0, 9)
        before, seen = state(), len(ticks)
        await until(lambda: len(ticks) > seen + 1, "the writer looked whether there is anything to do")
        assert state() == before and store.commits == 1
        await store.close()

    play(scene())
