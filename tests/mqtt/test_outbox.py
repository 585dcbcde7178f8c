"""Results wait on disk while their broker is away, and go out in order, each at least once."""

import asyncio
from pathlib import Path

import pytest

from tests.delivery.clocked import play_clocked
from tests.delivery.lanes import LANE, Ledger, Sender, lane_over, store_in, submit
from tests.mqtt.clients import Functions, echo, until
from tests.mqtt.sending import NOT_AUTHORIZED, Target, target_in
from triggers.delivery.letters import DeadLetters
from triggers.delivery.work import Place, Work
from triggers.mqtt.messages import Outgoing
from triggers.mqtt.outbox import PAGE
from triggers.store.changes import AddResults
from triggers.store.rows import ResultRow
from triggers.store.store import DeliveryStore, LetterQuery, StoreLimits

MIB = 1024 * 1024


def numbered(count: int, first: int = 0) -> list[bytes]:
    return [b"%d" % n for n in range(first, first + count)]


def test_while_its_broker_is_there_a_result_never_touches_the_disk(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.connect(room=10)
            for start in range(0, 500, 10):
                target.send(numbered(10, start))
                target.keep(0.1)
                target.confirm(10)
            assert target.ended == dict.fromkeys(numbered(500)) and target.store.commits == 0

    play_clocked(scene())


def test_a_result_that_waits_for_a_fifth_of_a_second_goes_to_disk_and_its_event_is_settled(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.send(numbered(3))
            target.keep(0.1)
            assert await target.rows() == [] and not target.ended
            target.keep(0.15)
            await until(lambda: target.ended == dict.fromkeys(numbered(3)), "they stand on disk")
            assert await target.rows() == numbered(3)
            assert all(len(each.rows) == 1 for each in target.origins.values())
            target.connect()
            assert target.confirm_all() and await target.rows() == []

    play_clocked(scene())


def test_thousands_of_results_go_out_in_order_over_reconnects_and_restarts(tmp_path: Path) -> None:
    async def scene() -> None:
        everything = numbered(3 * PAGE + 500)
        async with target_in(tmp_path) as target:
            for start in range(0, 3 * PAGE, 700):
                some = numbered(min(700, 3 * PAGE - start), start)
                target.send(some)
                await target.kept(some)
            assert len(target.publisher._waiting) <= PAGE
            connection = target.connect(room=50)
            await until(lambda: len(connection.sent) == 50, "the first are sent")
            target.confirm(20)
            assert connection.sent == numbered(70)
            target.disconnect()
            target.send(numbered(500, 3 * PAGE))
            await target.kept(numbered(500, 3 * PAGE))
            assert await target.rows() == everything[20:]
        async with target_in(tmp_path) as target:
            target.send([b"new"])
            connection = target.connect(room=50)
            await until(target.confirm_all, "all went out")
            assert connection.sent == [*everything[20:], b"new"] and await target.rows() == []
            target.send([b"last"])
            assert connection.sent[-1] == b"last"

    play_clocked(scene())


def test_a_result_that_is_confirmed_while_it_is_written_ends_once_and_leaves_no_row(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.connect()
            target.send([b"good", b"bad"])
            target.keep(1.1)
            target.confirm()
            target.confirm(reason=NOT_AUTHORIZED)
            assert not target.ended
            await until(lambda: len(target.ended) == 2, "both have ended")
            assert target.ended[b"good"] is None and "Not authorized" in str(target.ended[b"bad"])
            assert await target.rows() == [] == await target.letters()

    play_clocked(scene())


def test_what_is_refused_after_its_event_was_settled_becomes_a_dead_letter(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.send(numbered(2))
            await target.kept(numbered(2))
            target.connect()
            target.confirm(2, NOT_AUTHORIZED)
            assert await target.letters() == [("result", b"0"), ("result", b"1")]
            assert await target.rows() == []

    play_clocked(scene())


def test_the_letter_of_a_result_names_its_rule_after_a_restart_and_counts_its_replays(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.send([b"0"])
            await target.kept([b"0"])
        async with target_in(tmp_path) as target:
            await refused(target)
            (letter,) = await target.whole_letters(LetterQuery(rule="r1"))
            assert (letter.rule, letter.attempts, letter.error_type) == ("r1", 1, "ResultRefused")
            await DeadLetters(target.store, lambda _: True).replay(letter.seq)
        async with target_in(tmp_path) as target:
            await refused(target)
            (letter,) = await target.whole_letters(LetterQuery(rule="r1"))
            assert (letter.attempts, letter.body, await target.rows()) == (2, b"0", [])

    play_clocked(scene())


async def refused(target: Target) -> None:
    """The broker comes, is sent one result, and does not want it."""
    connection = target.connect()
    await until(lambda: bool(connection.sent), "it is sent")
    target.confirm(reason=NOT_AUTHORIZED)


def test_a_result_that_was_confirmed_is_not_sent_again_before_its_row_is_gone(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            connection = target.connect()
            for start in range(0, 200, 10):
                target.send(numbered(10, start))
                target.keep(1.1)
                await sent_and_kept(target, start + 10)
                target.publisher.wake()
                await asyncio.sleep(0)
                target.confirm(10)
                target.publisher.wake()
            await until(target.confirm_all, "all have ended")
            assert connection.sent == numbered(200)

    play_clocked(scene())


async def sent_and_kept(target: Target, count: int) -> None:
    connection = target.connection
    assert connection is not None
    await until(lambda: len(connection.sent) == len(target.ended) == count, "they are sent, and on disk")


def test_rows_that_others_add_are_sent_although_newer_results_were(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            connection = target.connect()
            seq = target.store.next_seq()
            target.send([b"newer"])
            row = ResultRow(seq, "b2/out", "e1", "echo", "out", b"replayed", 1, False, b"", 0.0, 10.0)
            await target.store.submit(AddResults((row,)))
            target.publisher.wake()
            await until(lambda: len(connection.sent) == 2, "it is sent")
            assert target.confirm_all() and await target.rows() == []

    play_clocked(scene())


def test_without_room_only_results_of_settled_events_go_to_disk_and_none_before_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.publisher.send(Outgoing("out", b"settled", 1, False))
            target.send(numbered(3))
            # After a crash it must not come before those that are their broker's still.
            target.publisher.send(Outgoing("out", b"later", 1, False))
            with monkeypatch.context() as full:
                full.setattr(DeliveryStore, "takes_in", property(lambda _: False))
                target.keep()
                assert await target.rows() == [b"settled"] and not target.ended
            target.keep()
            await until(lambda: len(target.ended) == 3, "there is room, and they stand on disk")
            connection = target.connect()
            await until(target.confirm_all, "all went out")
            assert connection.sent == [b"settled", *numbered(3), b"later"]

    play_clocked(scene())


def test_results_fill_the_quota_only_as_far_as_it_takes_anything_in(tmp_path: Path) -> None:
    async def scene() -> None:
        limits = StoreLimits(quota=8 * MIB, min_free=0)
        async with target_in(tmp_path, limits) as target:
            bodies = [b"%04d" % n * 25_000 for n in range(200)]
            target.send(bodies)
            target.keep()
            await until(lambda: not target.store.takes_in, "the quota is used")
            await target.store.submit()
            assert 0 < len(target.ended) < 100 and target.store.trouble is None
            connection = target.connect()
            await until(target.confirm_all, "all went out")
            assert [each[:4] for each in connection.sent] == [each[:4] for each in bodies]
            assert len(target.ended) == 200
            await until(lambda: target.store.takes_in, "there is room again")

    play_clocked(scene())


def test_what_is_too_large_for_the_quota_waits_in_memory_unsettled(tmp_path: Path) -> None:
    async def scene() -> None:
        limits = StoreLimits(quota=2 * MIB, min_free=0)
        async with target_in(tmp_path, limits) as target:
            target.send([b"1", b"2", b"x" * 3 * MIB])
            target.keep()
            await until(lambda: target.store.takes_in, "what was too large is no more on its way")
            assert set(target.ended) == {b"1", b"2"}
            target.connect()
            await until(target.confirm_all, "all went out")
            assert len(target.ended) == 3

    play_clocked(scene())


def test_the_row_of_an_event_goes_when_that_of_its_only_result_comes(tmp_path: Path) -> None:
    async def scene() -> None:
        functions = Functions(echo=echo)
        functions.held.add("echo")
        async with target_in(tmp_path) as target:
            works: list[Work] = []

            class Owner(Ledger):
                def answered(self, lane, work, answer):  # type: ignore[no-untyped-def]
                    works.append(work)

            async with lane_over(target.store, functions.dispatch, Owner()) as lane:
                (sender,) = submit(lane, target.store, [b"a"])
                lane.take_over()
                await until(lambda: sender.done, "it stands on disk")
                functions.let_go("echo")
                await until(lambda: bool(works), "it is answered")
                assert works[0].place is Place.STORED
                target.publisher.send(
                    Outgoing("out", b"A", 1, False, done=lambda _: lane.finish(works[0]), work=works[0])
                )
                target.keep()
                await until(lambda: works[0].place is Place.MEMORY, "the result stands on disk")
                assert await target.rows() == [b"A"]
                assert await target.store.read_events(LANE, 0, 9) == [] and not len(lane._inbox._in_memory)

    play_clocked(scene())


def test_at_the_stop_all_that_no_broker_has_confirmed_goes_to_disk(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.connect(room=2)
            target.send(numbered(5))
            await asyncio.wait(target.publisher.keep(asyncio.get_running_loop().time(), -1, -1))
            assert await target.rows() == numbered(5) and len(target.ended) == 5

    play_clocked(scene())


def test_a_successor_sends_what_waits_on_disk_before_what_comes_next(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as old:
            old.send(numbered(2 * PAGE))
            await old.kept(numbered(2 * PAGE))
            old.send(numbered(5, 2 * PAGE))
            new = Target(old.store, "b2/other")
            connection = new.connect(room=100)
            old.publisher.hand_over(new.publisher)
            new.send([b"new"])
            await until(new.confirm_all, "all went out")
            assert connection.sent == [*numbered(2 * PAGE + 5), b"new"]
            assert set(old.ended) == set(numbered(2 * PAGE + 5)) and await new.rows() == []

    play_clocked(scene())


def test_a_successor_with_rows_of_its_own_sends_the_older_ones_first(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as old:
            new = Target(old.store, "b2/other")
            for start in range(0, 2000, 200):
                each = old if start % 400 == 0 else new
                each.send(numbered(200, start))
                await each.kept(numbered(200, start))
            connection = new.connect(room=100)
            old.publisher.hand_over(new.publisher)
            await until(new.confirm_all, "all went out")
            under_way = connection.sent[:100]
            rest = [each for each in numbered(2000) if each not in under_way]
            assert connection.sent == [*under_way, *rest]

    play_clocked(scene())


def test_what_nobody_will_publish_becomes_dead_letters_each_once_and_is_said_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.send(numbered(PAGE + 50))
            await target.kept(numbered(PAGE + 50))
            target.send([b"in memory"])
            connection = target.connect(room=10)
            await until(lambda: len(connection.sent) == 10, "the first are sent")
            target.confirm(5)
            await target.publisher.give_up("nobody")
            assert await target.letters() == [("result", body) for body in numbered(PAGE + 45, 5)]
            assert target.ended[b"in memory"] == "nobody" and await target.rows() == []
            (told, *_) = letters = await target.whole_letters(LetterQuery(limit=PAGE * 2))
            assert {each.error_type for each in letters} == {"NobodyTakesIt"} and told.message == "nobody"
            assert caplog.messages == [f"mqtt: results that become dead letters: {PAGE + 46}; nobody"]

    play_clocked(scene())


def test_a_page_that_cannot_be_read_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with store_in(tmp_path) as store:
            target = Target(store)
            target.send(numbered(3))
            await target.kept(numbered(3))
        async with store_in(tmp_path) as store:
            target, fail = Target(store), True

            async def read(since: int, limit: int) -> list[ResultRow]:
                nonlocal fail
                fail, failing = False, fail
                if failing:
                    raise OSError("the disk is slow")
                return await store.read_results("b2/out", since, limit)

            monkeypatch.setattr(target.publisher.outbox._behind, "_read", read)  # type: ignore[union-attr]
            connection = target.connect()
            await until(lambda: not fail, "reading has failed")
            await asyncio.sleep(0)
            await until(target.confirm_all, "all went out")
            assert connection.sent == numbered(3)

    play_clocked(scene())


def test_origins_are_asked_for_what_tells_them(tmp_path: Path) -> None:
    async def scene() -> None:
        async with target_in(tmp_path) as target:
            target.send([b"a"])
            await target.kept([b"a"])
            await target.store.submit()
            (row,) = await target.store.read_results("b2/out", 0, 9)
            assert row.source == Sender().source and target.origins[b"a"].rows == [row.seq]

    play_clocked(scene())
