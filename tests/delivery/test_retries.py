"""Events that fail come again: as often and as late as the policy says, in order, and over restarts."""

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.events import (
    DeadlinePassedError,
    Event,
    FunctionRaisedError,
    InputRejectedError,
    InstanceDiedError,
    QueueFullError,
    UnavailableError,
)
from tests.delivery.clocked import advance, play_clocked
from tests.delivery.lanes import (
    LANE,
    Ledger,
    Punctual,
    lane_in,
    lane_over,
    pass_time,
    rows_of,
    store_in,
    submit,
)
from tests.mqtt.clients import Functions, echo, until
from triggers.delivery.retry import KINDS, HindranceError
from triggers.delivery.work import REPLAYED
from triggers.store.changes import AddEvents
from triggers.store.rows import EventRow


class Stumbling:
    """A function that answers those events with an error whose body is in `errors`, as often as it says."""

    def __init__(self, **errors: list[Exception]) -> None:
        self.errors = errors
        self.attempts: list[tuple[bytes, object]] = []
        self.functions = Functions(echo=self.run)
        self.dispatch = self.functions.dispatch

    def run(self, event: Event) -> Any:
        meta = json.loads(event.meta) if isinstance(event.meta, bytes) else event.meta
        self.attempts.append((event.body, meta.get("attempt", 1)))
        left = self.errors.get(event.body.decode(), [])
        return left.pop(0) if left else echo(event)


def raised() -> FunctionRaisedError:
    return FunctionRaisedError("ValueError", "no", [])


@pytest.mark.parametrize("error", [raised(), InstanceDiedError("died"), DeadlinePassedError()])
def test_an_event_that_fails_is_tried_again_and_the_function_sees_how_often(
    error: Exception, tmp_path: Path
) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(a=[error, error]), Ledger()
        async with lane_in(tmp_path, function.dispatch, ledger, retry=Punctual(3, 0.5)) as (store, lane):
            (sender,) = submit(lane, store, [b"a"])
            await until(lambda: len(function.attempts) == 1, "it was tried")
            await pass_time(0.6, lambda: len(function.attempts) == 2, "it was tried again")
            await pass_time(0.6, lambda: ledger.good == [b"a"], "it is answered")
            assert function.attempts == [(b"a", 1), (b"a", 2), (b"a", 3)]
            assert sender.done and store.commits == 0

    play_clocked(scene())


def test_an_event_fails_for_good_after_the_last_attempt_or_what_would_only_happen_again(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(a=[raised()] * 9, b=[InputRejectedError()] * 9), Ledger()
        async with lane_in(tmp_path, function.dispatch, ledger, retry=Punctual(2, 0.5)) as (store, lane):
            submit(lane, store, [b"a", b"b"])
            await until(lambda: ledger.bad == [(b"b", 1)], "what is no input is not tried again")
            await pass_time(0.6, lambda: ledger.bad[1:] == [(b"a", 2)], "the other fails for good")

    play_clocked(scene())


def test_an_overload_counts_no_attempt_unless_the_policy_leaves_it_out(tmp_path: Path) -> None:
    async def scene() -> None:
        overloads: list[Exception] = [QueueFullError(), UnavailableError(), QueueFullError()]
        async with store_in(tmp_path) as store:
            function, ledger = Stumbling(a=list(overloads)), Ledger()
            async with lane_over(store, function.dispatch, ledger, retry=Punctual(1, 0.5)) as lane:
                submit(lane, store, [b"a"])
                for _ in overloads:
                    advance(6)
                await until(lambda: ledger.good == [b"a"], "it is answered")
                assert [attempt for _, attempt in function.attempts] == [1] * 4
            function, ledger = Stumbling(a=overloads), Ledger()
            without = Punctual(3, 0.5, on=tuple(kind for kind in KINDS if kind != "overload"))
            async with lane_over(store, function.dispatch, ledger, retry=without) as lane:
                submit(lane, store, [b"a"])
                await until(lambda: ledger.bad == [(b"a", 0)], "it fails at once")

    play_clocked(scene())


def test_an_event_that_the_host_itself_hinders_is_no_dead_letter_of_any_policy(tmp_path: Path) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(a=[HindranceError("unread")]), Ledger()
        async with lane_in(tmp_path, function.dispatch, ledger, retry=Punctual(1, on=())) as (store, lane):
            submit(lane, store, [b"a"])
            await until(lambda: len(function.attempts) == 1, "it was tried")
            await pass_time(30, lambda: ledger.good == [b"a"], "it is answered")

    play_clocked(scene())


def test_who_waits_long_for_its_next_attempt_waits_on_disk_and_who_stands_behind_it_too(
    tmp_path: Path,
) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(a=[raised()]), Ledger()
        async with store_in(tmp_path) as store:
            plan = {"retry": Punctual(3, 60), "ordered": True}
            async with lane_over(store, function.dispatch, ledger, **plan) as lane:
                senders = submit(lane, store, [b"a", b"b"], key="k")
                (other,) = submit(lane, store, [b"other"], key="o")
                await until(lambda: all(each.done for each in senders), "both stand on disk")
                assert await rows_of(store) == [(b"a", 1), (b"b", 0)]
                (late,) = submit(lane, store, [b"c"], key="k")
                await until(lambda: late.done, "so does a newcomer")
                await until(lambda: other.done and ledger.good == [b"other"], "other keys go on")
                await pass_time(61, lambda: ledger.good[1:] == [b"a", b"b", b"c"], "all are answered")
                assert await rows_of(store) == [] and lane.events == 0 and not lane.busy

    play_clocked(scene())


def test_followers_go_to_disk_although_the_event_before_them_stands_there_already(tmp_path: Path) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(a=[raised()] * 2), Ledger()
        function.functions.held.add("echo")
        async with store_in(tmp_path) as store:
            plan = {"retry": Punctual(3, 60), "ordered": True}
            async with lane_over(store, function.dispatch, ledger, **plan) as lane:
                (first,) = submit(lane, store, [b"a"], key="k")
                lane.take_over()
                await until(lambda: first.done, "it stands on disk")
                (second,) = submit(lane, store, [b"b"], key="k")
                function.functions.let_go("echo")
                await until(lambda: second.done, "so does the one behind it")

    play_clocked(scene())


def test_after_a_restart_it_goes_on_from_disk_with_its_attempts_and_its_moment(tmp_path: Path) -> None:
    async def scene() -> None:
        plan: dict[str, Any] = {"retry": Punctual(3, 60), "ordered": True}
        ledger, function = Ledger(), Stumbling(a=[raised()])
        async with lane_in(tmp_path, function.dispatch, ledger, **plan) as (store, lane):
            senders = submit(lane, store, [b"a", b"b"], key="k")
            await until(lambda: all(each.done for each in senders), "both stand on disk")
        after = Stumbling(a=[raised(), raised()])
        async with lane_in(tmp_path, after.dispatch, ledger, **plan) as (store, lane):
            submit(lane, store, [b"c"], key="k")
            await until(lambda: lane.events == 3 and len(lane._later) == 1, "it waits again")
            assert after.attempts == []
            await pass_time(61, lambda: after.attempts == [(b"a", 2)], "it is tried")
            await pass_time(61, lambda: ledger.bad == [(b"a", 3)], "it fails for good")
            await until(lambda: ledger.good == [b"b", b"c"], "the others follow in order")
            assert await rows_of(store) == []

    play_clocked(scene())


def test_readings_that_are_too_old_cost_no_attempt(tmp_path: Path) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(), Ledger()
        async with lane_in(tmp_path, function.dispatch, ledger, max_age=5.0) as (store, lane):
            function.functions.held.add("echo")
            senders = submit(lane, store, [b"1", b"2", b"3"])
            advance(6)
            submit(lane, store, [b"4"])
            function.functions.let_go("echo")
            await until(lambda: ledger.good == [b"1", b"4"], "the first and the last are answered")
            assert ledger.gone == [(b"2", "expired"), (b"3", "expired")]
            assert all(each.done for each in senders)

    play_clocked(scene())


def test_only_the_newest_reading_of_a_device_waits(tmp_path: Path) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(), Ledger()
        function.functions.held.add("echo")
        async with lane_in(tmp_path, function.dispatch, ledger, latest=True) as (store, lane):
            senders = submit(lane, store, [b"%d" % n for n in range(50)], device="d")
            assert ledger.gone == [(b"%d" % n, "superseded") for n in range(1, 49)]
            assert [each.done for each in senders] == [False, *[True] * 48, False] and lane.events == 2
            function.functions.let_go("echo")
            await until(lambda: ledger.good == [b"0", b"49"], "the newest is answered")

    play_clocked(scene())


def test_what_a_person_replays_neither_expires_nor_gives_way_and_is_tried_once(tmp_path: Path) -> None:
    async def scene() -> None:
        head: dict[str, object] = {"device": "d", "received": 1.0, REPLAYED: True, "meta": {"attempt": 3}}
        row = EventRow(1, LANE, "e1", head, b"a", attempts=3)
        async with store_in(tmp_path) as store:
            await store.submit(AddEvents((row,)))
        async with store_in(tmp_path) as store:
            function, ledger = Stumbling(a=[UnavailableError(), raised()]), Ledger()
            plan = {"latest": True, "max_age": 5.0, "retry": Punctual(9, 60)}
            async with lane_over(store, function.dispatch, ledger, **plan) as lane:
                await until(lambda: len(function.attempts) == 1, "it is tried")
                submit(lane, store, [b"newer"], device="d")
                await pass_time(30, lambda: len(function.attempts) >= 2, "it is tried again")
                await until(lambda: ledger.bad == [(b"a", 4)], "it has failed")
                assert [attempt for body, attempt in function.attempts if body == b"a"] == [4, 4]

    play_clocked(scene())


def test_a_lane_that_stops_leaves_what_waits_to_whoever_has_it(tmp_path: Path) -> None:
    async def scene() -> None:
        function, ledger = Stumbling(a=[raised()]), Ledger()
        async with store_in(tmp_path) as store:
            plan = {"retry": Punctual(3, 0.5), "ordered": True}
            async with lane_over(store, function.dispatch, ledger, **plan) as lane:
                (sender,) = submit(lane, store, [b"a"], key="k")
                submit(lane, store, [b"qos 0"], key="k", sure=False)
                await until(lambda: len(function.attempts) == 1, "it was tried")
                lane.forget_sure()
                # The event without a promise goes on; the other comes again from its broker.
                await until(lambda: ledger.good == [b"qos 0"], "what does not come again is answered")
                assert not lane.busy and not sender.done

    play_clocked(scene())
