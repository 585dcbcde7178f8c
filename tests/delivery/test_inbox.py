"""A backlog stands on disk and comes into memory page by page, in order, and each event once."""

import asyncio
import gc
from pathlib import Path

import pytest

from tests.delivery.lanes import LANE, Ledger, lane_in, lane_over, on_disk, rows_of, store_in, submit
from tests.mqtt.clients import Functions, echo, play, until
from triggers.delivery.inbox import MOST_BYTES, PAGE
from triggers.delivery.lane import MOST_LOADED, Lane
from triggers.delivery.work import Work
from triggers.store import reader
from triggers.store.changes import AddEvents
from triggers.store.page import PAGE_BYTES
from triggers.store.rows import EventRow
from triggers.store.store import DeliveryStore, StoreLimits

MIB = 1024 * 1024


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % n for n in range(first, first + count)]


def held() -> Functions:
    functions = Functions(echo=echo)
    functions.held.add("echo")
    return functions


async def add_rows(store: DeliveryStore, bodies: list[bytes]) -> None:
    rows = tuple(EventRow(store.next_seq(), LANE, f"e{body[:99].decode()}", {}, body) for body in bodies)
    await store.submit(AddEvents(rows))


def test_a_backlog_is_worked_in_order_with_newcomers_behind_it(tmp_path: Path) -> None:
    async def scene(ordered: bool) -> None:
        functions, ledger = held(), Ledger()
        folder = tmp_path / str(ordered)
        folder.mkdir()
        async with (
            store_in(folder) as store,
            lane_over(store, functions.dispatch, ledger, ordered=ordered) as lane,
        ):
            senders = submit(lane, store, numbered(100))
            lane.take_over()
            for start in range(100, 3 * PAGE, 500):
                senders += submit(lane, store, numbered(500, start))
                lane.take_over()
                await on_disk(senders)
            functions.let_go("echo")
            await until(lambda: len(ledger.good) == len(senders), "all are answered")
            assert ledger.good == numbered(len(senders)) == functions.bodies()
            assert await rows_of(store) == [] and lane.events == 0 and not lane.busy
            before = store.commits
            (last,) = submit(lane, store, [b"last"])
            await until(lambda: last.done, "the last one is answered")
            assert store.commits == before

    play(scene(ordered=True))
    play(scene(ordered=False))


def test_a_backlog_is_not_held_in_memory(tmp_path: Path) -> None:
    async def scene() -> None:
        functions, ledger = held(), Ledger()
        async with store_in(tmp_path) as store:
            for start in range(0, 100_000, 20_000):
                await add_rows(store, numbered(20_000, start))
        async with lane_in(tmp_path, functions.dispatch, ledger) as (store, lane):
            await until(lambda: len(functions.events) == 1, "it begins")
            submit(lane, store, [b"new"])
            await until(lambda: store.commits == 1, "the newcomer stands on disk")
            assert lane.events > 99_000 and count_works() <= 3 * PAGE
            functions.let_go("echo")
            await until(lambda: len(ledger.good) > 5000, "it is worked off")
            assert count_works() <= 4 * PAGE
            functions.held.add("echo")
            assert ledger.good == numbered(len(ledger.good))

    play(scene())


def count_works() -> int:
    gc.collect()
    return sum(isinstance(each, Work) for each in gc.get_objects())


def test_the_backlog_of_one_key_is_held_in_memory_up_to_a_limit(tmp_path: Path) -> None:
    async def scene() -> None:
        functions, ledger = held(), Ledger()
        async with store_in(tmp_path) as store:
            await add_rows(store, numbered(MOST_LOADED + 4 * PAGE))
        async with lane_in(tmp_path, functions.dispatch, ledger, ordered=True) as (store, lane):
            await until(lambda: len(lane._open) >= MOST_LOADED, "memory is full")
            for _ in range(50):
                lane.tick()
                await asyncio.sleep(0.002)
            assert len(lane._open) <= MOST_LOADED + 2 * PAGE

    play(scene())


@pytest.mark.parametrize("ordered", [False, True])
def test_a_backlog_of_large_events_is_held_in_memory_up_to_a_limit_of_bytes(
    tmp_path: Path, ordered: bool
) -> None:
    async def scene() -> None:
        functions, ledger = held(), Ledger()
        bodies = [b"%04d" % n * (MIB // 4) for n in range(40)]
        async with store_in(tmp_path) as store:
            await add_rows(store, bodies)
            page = await store.read_events(LANE, 0, PAGE)
            assert page.cut and 15 * MIB <= sum(len(row.body) for row in page) <= PAGE_BYTES
        async with lane_in(tmp_path, functions.dispatch, ledger, ordered=ordered) as (store, lane):
            await until(lambda: loaded(lane) >= 30 * MIB, "memory is full")
            senders = submit(lane, store, [b"new"])
            await on_disk(senders)
            lane.tick()
            assert lane._inbox._loading is None and loaded(lane) <= MOST_BYTES and lane.events > 5
            functions.let_go("echo")
            most = 0
            while len(ledger.good) < 41:
                most = max(most, loaded(lane))
                await asyncio.sleep(0)
            assert most <= MOST_BYTES and ledger.good == [*bodies, b"new"]
            await store.submit()
            assert loaded(lane) == lane._inbox._bytes == lane.events == 0

    play(scene())


def loaded(lane: Lane) -> int:
    """Bytes of the bodies that are in memory."""
    return sum(len(work.event.body) for work in lane._open.values())


def test_what_is_larger_than_a_page_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        functions, ledger = Functions(echo=echo), Ledger()
        bodies = [b"%04d" % n * MIB for n in range(3)]
        async with store_in(tmp_path) as store:
            await add_rows(store, bodies)
        monkeypatch.setattr(reader, "PAGE_BYTES", MIB)
        async with lane_in(tmp_path, functions.dispatch, ledger):
            await until(lambda: len(ledger.good) == 3, "all are answered")
            assert ledger.good == bodies

    play(scene())


def test_rows_that_others_add_are_worked_although_newer_events_are_in_memory(tmp_path: Path) -> None:
    async def scene() -> None:
        functions, ledger = held(), Ledger()
        async with lane_in(tmp_path, functions.dispatch, ledger) as (store, lane):
            adding = asyncio.create_task(add_rows(store, [b"replayed"]))
            await asyncio.sleep(0)
            # A newcomer gets a higher number before the row is there.
            submit(lane, store, [b"1", b"2"])
            await adding
            lane.wake()
            functions.let_go("echo")
            await until(lambda: sorted(ledger.good) == [b"1", b"2", b"replayed"], "all are answered")
            for n in range(20):
                await add_rows(store, [b"a%d" % n])
                lane.wake()
            await until(lambda: len(ledger.good) == 23, "each is answered")
            await store.submit()
            assert len(functions.events) == 23

    play(scene())


def test_what_was_dealt_with_and_is_not_gone_from_the_disk_is_not_read_again(tmp_path: Path) -> None:
    async def scene() -> None:
        functions, ledger = Functions(echo=echo), Ledger()
        async with lane_in(tmp_path, functions.dispatch, ledger) as (store, lane):
            for start in range(0, 400, 20):
                functions.held.add("echo")
                senders = submit(lane, store, numbered(20, start))
                lane.take_over()
                await on_disk(senders)
                functions.let_go("echo")
                lane.wake()
            await until(lambda: len(ledger.good) >= 400, "all are answered")
            await store.submit()
            assert sorted(functions.bodies()) == sorted(numbered(400)) and not lane._inbox._in_memory

    play(scene())


def test_without_room_events_stay_in_memory_and_are_written_when_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        functions, ledger = held(), Ledger()
        async with lane_in(tmp_path, functions.dispatch, ledger) as (store, lane):
            senders = submit(lane, store, numbered(10))
            with monkeypatch.context() as full:
                full.setattr(DeliveryStore, "takes_in", property(lambda _: False))
                lane.take_over()
                senders += submit(lane, store, numbered(10, 10))
                lane.tick()
                assert await rows_of(store) == [] and not any(each.done for each in senders)
            lane.take_over()
            await on_disk(senders)
            for start, has_room in ((20, True), (30, False), (40, False)):
                with monkeypatch.context() as disk:
                    disk.setattr(
                        DeliveryStore,
                        "takes_in",
                        property(lambda _: True) if has_room else property(lambda _: False),
                    )
                    senders += submit(lane, store, numbered(10, start))
                    lane.tick()
            functions.let_go("echo")
            await until(lambda: len(ledger.good) == 50, "all are answered")
            assert all(each.done for each in senders)

    play(scene())


def test_what_cannot_be_written_at_all_is_answered_from_memory(tmp_path: Path) -> None:
    async def scene() -> None:
        functions, ledger = held(), Ledger()
        limits = StoreLimits(quota=2 * MIB, min_free=0)
        async with lane_in(tmp_path, functions.dispatch, ledger, limits) as (store, lane):
            senders = submit(lane, store, [b"small", b"x" * 3 * MIB, b"small too"])
            lane.take_over()
            await until(lambda: senders[0].done, "what can be written is")
            await store.submit()
            assert not senders[1].done
            functions.let_go("echo")
            await until(lambda: all(each.done for each in senders), "all are settled")
            assert len(ledger.good) == 3 and await rows_of(store) == []

    play(scene())


def test_a_lane_that_is_left_in_the_turn_in_which_it_begins_to_read_may_come_back(tmp_path: Path) -> None:
    async def scene() -> None:
        ledger = Ledger()
        async with store_in(tmp_path) as store:
            await add_rows(store, numbered(10))
        async with lane_in(tmp_path, Functions(echo=echo).dispatch, ledger) as (_, lane):
            lane.leave()
            lane.stay()
            await until(lambda: len(ledger.good) == 10, "all are answered")
            assert ledger.good == numbered(10)

    play(scene())


def test_a_lane_that_is_left_finishes_what_is_in_memory_and_may_come_back(tmp_path: Path) -> None:
    async def scene() -> None:
        functions, ledger = held(), Ledger()
        async with store_in(tmp_path) as store:
            await add_rows(store, numbered(4 * PAGE))
        async with lane_in(tmp_path, functions.dispatch, ledger) as (store, lane):
            await until(lambda: len(lane._open) >= PAGE, "a page is in memory")
            lane.leave()
            functions.let_go("echo")
            await until(lambda: not lane.busy, "what is in memory is answered")
            assert PAGE <= len(ledger.good) <= 3 * PAGE
            assert len(await rows_of(store)) == 4 * PAGE - len(ledger.good)
            lane.stay()
            await until(lambda: len(ledger.good) == 4 * PAGE, "the rest is answered")
            assert functions.bodies() == numbered(4 * PAGE)

    play(scene())


def test_a_lane_that_is_left_while_it_asks_for_a_page_may_come_back(tmp_path: Path) -> None:
    async def scene() -> None:
        functions, ledger = Functions(echo=echo), Ledger()
        async with store_in(tmp_path) as store:
            await add_rows(store, numbered(3))
        async with lane_in(tmp_path, functions.dispatch, ledger) as (_, lane):
            # The reading was asked for, and has had no turn of the loop yet.
            lane.leave()
            lane.stay()
            await until(lambda: len(ledger.good) == 3, "all are answered")
            lane.leave()
            lane.stay()
            await until(lambda: not lane.events, "nothing is looked for any more")
        assert ledger.good == numbered(3)

    play(scene())
