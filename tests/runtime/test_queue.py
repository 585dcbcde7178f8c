"""The queue of a pool: who gets which events, how many at a time, and what becomes of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runtime.dispatch import deadlines
from runtime.dispatch.queue import EventQueue
from runtime.dispatch.ticket import Ticket
from runtime.events import (
    Answer,
    DeadlinePassedError,
    Event,
    FunctionRaisedError,
    InstanceDiedError,
    QueueFullError,
    UnavailableError,
)
from runtime.spec import BatchRule, PoolSpec
from tests.runtime.test_pool import until


class StubSlot:
    """Keeps a slot's contract without a process: what it was sent, and how far it has begun."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []
        self.running: dict[int, Ticket] = {}
        self.begun = 0
        self.answered = 0
        self.pid = 7
        self.status = 9
        self.is_async = False
        self.takes_batches = False
        self.room: list[int] = []
        self.killed_for: str | None = None
        self.cancelled: list[int] = []
        self._number = 0

    def send(self, tickets: list[Ticket]) -> None:
        self.sent.append([ticket.event.body for ticket in tickets])
        for ticket in tickets:
            self._number += 1
            ticket.number, ticket.sent, ticket.pid = self._number, time.monotonic(), self.pid
            self.running[self._number] = ticket

    def has_begun(self, ticket: Ticket) -> bool:
        return self.begun >= ticket.number

    def send_batch(self, tickets: list[Ticket]) -> None:
        tickets[0].share = len(tickets)
        for ticket in tickets[1:]:
            ticket.share = 0
        self.send(tickets)

    def cancel(self, ticket: Ticket) -> None:
        if not ticket.cancelled:
            ticket.cancelled = True
            self.cancelled.append(ticket.number)

    def give_room(self, ticket: Ticket, size: int) -> None:
        self.room.append(size)

    def kill(self, reason: str) -> None:
        self.killed_for = reason

    def check_sent(self, number: int) -> None:
        """What the real one does is tested with real instances that forge."""

    def answer(self, queue: EventQueue, seconds: float = 0.01) -> None:
        """Answer everything that it holds with its own body."""
        frames = [
            ({"n": number, "k": "ok", "s": seconds}, ticket.event.body)
            for number, ticket in list(self.running.items())
        ]
        queue.answered(self, frames)  # type: ignore[arg-type]


def spec(**changes: Any) -> PoolSpec:
    nowhere = Path("/nonexistent")
    return PoolSpec("f", 1, "", nowhere, nowhere, nowhere, **{"timeout": 30.0, "publish": ("a",), **changes})


def run(scene: Callable[[EventQueue], Awaitable[None]], **changes: Any) -> list[tuple[StubSlot, str]]:
    killed: list[tuple[StubSlot, str]] = []

    async def play() -> None:
        await scene(EventQueue(spec(**changes), lambda slot, why: killed.append((slot, why)), lambda: None))  # type: ignore[arg-type]

    asyncio.run(play())
    return killed


async def submit(queue: EventQueue, *bodies: bytes) -> "list[asyncio.Future[Answer]]":
    futures = [queue.submit(Event(body)) for body in bodies]
    await asyncio.sleep(0)  # what arrives in one turn of the loop is handed out at its end
    return futures


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def add(queue: EventQueue, slot: StubSlot) -> None:
    queue.add(slot)  # type: ignore[arg-type]


def gone(queue: EventQueue, slot: StubSlot) -> None:
    queue.gone(slot)  # type: ignore[arg-type]


def test_events_wait_in_order_and_a_long_function_gets_exactly_one_at_a_time() -> None:
    async def scene(queue: EventQueue) -> None:
        futures = await submit(queue, *numbered(3))
        slot = StubSlot()
        add(queue, slot)
        for _ in range(3):
            slot.answer(queue, seconds=0.5)
        assert slot.sent == [[b"0"], [b"1"], [b"2"]]
        assert [(await future).body for future in futures] == [b"0", b"1", b"2"]

    run(scene)


def test_a_short_function_gets_all_that_waits_but_16_at_most_in_one_write() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        futures = await submit(queue, *numbered(40))
        while slot.running:
            slot.answer(queue, seconds=0.0001)
        assert [len(batch) for batch in slot.sent] == [1, 16, 16, 7]
        assert [(await future).body for future in futures] == numbered(40)

    run(scene)


@pytest.mark.parametrize("how", ["answered", "died", "piece"])
def test_an_event_has_ended_once_no_instance_has_it_whoever_still_waits(how: str) -> None:
    async def scene(queue: EventQueue) -> None:
        ended: list[str] = []
        slot = StubSlot()
        add(queue, slot)
        waits, runs = (Event(b"", ended=partial(ended.append, name), streams=True) for name in "wr")
        running, waiting = queue.submit(runs), queue.submit(waits)
        await asyncio.sleep(0)
        waiting.cancel()
        if how == "piece":
            queue.answered(slot, [({"n": 1, "k": "piece"}, b"1")])  # type: ignore[arg-type]
            assert running.done()
        else:
            running.cancel()
        await asyncio.sleep(0)
        assert ended == ["w"]
        if how == "died":
            gone(queue, slot)
        else:
            slot.answer(queue)
        assert ended == ["w", "r"]

    run(scene)


def test_waiting_events_of_a_short_function_are_shared_among_the_instances() -> None:
    async def scene(queue: EventQueue) -> None:
        first, second = StubSlot(), StubSlot()
        add(queue, first)
        add(queue, second)
        await submit(queue, *numbered(10))
        first.answer(queue, seconds=0.0001)
        second.answer(queue, seconds=0.0001)
        assert [len(batch) for batch in first.sent] == [1, 4]
        assert [len(batch) for batch in second.sent] == [1, 2]

    run(scene)


def test_a_coroutine_function_gets_as_many_as_it_may_run_at_a_time() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        await submit(queue, *numbered(5))
        assert len(slot.running) == 3
        assert len(queue) == 2
        slot.answer(queue)
        assert len(slot.running) == 2

    run(scene, concurrency=3)


def test_a_full_queue_refuses_by_count_and_by_bytes() -> None:
    async def scene(queue: EventQueue) -> None:
        await submit(queue, *numbered(2))
        with pytest.raises(QueueFullError):
            await submit(queue, b"one too many")

    run(scene, queue=2)

    async def large(queue: EventQueue) -> None:
        await submit(queue, bytes(40 * 2**20))
        with pytest.raises(QueueFullError, match="bytes"):
            await submit(queue, bytes(40 * 2**20))

    run(large)


def test_what_idle_instances_take_at_once_does_not_count_as_waiting() -> None:
    async def scene(queue: EventQueue) -> None:
        slots = [StubSlot(), StubSlot()]
        for slot in slots:
            add(queue, slot)
        await submit(queue, *numbered(3))
        assert [slot.sent for slot in slots] == [[[b"1"]], [[b"0"]]]
        assert len(queue) == 1
        with pytest.raises(QueueFullError):
            await submit(queue, b"one too many")

    run(scene, queue=1)


def test_of_a_dead_instance_what_had_begun_fails_and_the_rest_goes_elsewhere_in_order() -> None:
    async def scene(queue: EventQueue) -> None:
        dying, other = StubSlot(), StubSlot()
        add(queue, dying)
        futures = await submit(queue, *numbered(5))
        dying.answer(queue, seconds=0.0001)
        assert len(dying.running) == 4
        dying.begun = 3
        gone(queue, dying)
        add(queue, other)
        while other.running:
            other.answer(queue, seconds=0.0001)
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes[1:3]] == [InstanceDiedError, InstanceDiedError]
        assert "SIGKILL" in str(outcomes[1])
        assert [body for batch in other.sent for body in batch] == [b"3", b"4"]

    run(scene)


def test_a_begun_event_of_an_idempotent_function_is_repeated_once() -> None:
    async def scene(queue: EventQueue) -> None:
        slots = [StubSlot() for _ in range(2)]
        add(queue, slots[0])
        (future,) = await submit(queue, b"0")
        for slot, following in zip(slots, [slots[1], None], strict=True):
            slot.begun = 1
            gone(queue, slot)
            if following is not None:
                add(queue, following)
        with pytest.raises(InstanceDiedError):
            await future
        assert slots[1].sent == [[b"0"]]

    run(scene, idempotent=True)


def test_an_event_that_waited_past_its_deadline_is_told_so_and_never_sent() -> None:
    async def scene(queue: EventQueue) -> None:
        (future,) = await submit(queue, b"0")
        with pytest.raises(DeadlinePassedError):
            await asyncio.wait_for(future, 10)
        slot = StubSlot()
        add(queue, slot)
        assert slot.sent == []

    run(scene, timeout=0.02)


def test_an_instance_that_runs_an_event_past_its_deadline_is_killed() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        slot.begun = 1
        (future,) = await submit(queue, b"0")
        with pytest.raises(DeadlinePassedError):
            await asyncio.wait_for(future, 10)

    ((_, why),) = run(scene, timeout=0.02)
    assert "deadline" in why


def test_an_instance_that_says_for_ever_that_it_has_not_begun_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "RECHECK", 0.005)

    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        futures = await submit(queue, *numbered(2))
        first, second = slot.running.values()
        await until(lambda: first.looks > deadlines.MOST_LOOKS, "it was looked at often enough")
        assert second.looks == 0, "it waits for the first"
        for future in futures:
            assert isinstance(future.exception(), DeadlinePassedError)

    ((_, why),) = run(scene, timeout=0.02, concurrency=2)
    assert "neither began nor skipped" in why


def test_a_coroutine_past_its_deadline_is_cancelled_first() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        slot.is_async = True
        add(queue, slot)
        slot.begun = 1
        (future,) = await submit(queue, b"0")
        with pytest.raises(DeadlinePassedError):
            await asyncio.wait_for(future, 10)
        assert slot.cancelled == [1]

    assert run(scene, timeout=0.02) == []


def test_an_instance_is_not_killed_for_an_event_that_it_has_not_begun() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        (future,) = await submit(queue, b"0")
        with pytest.raises(DeadlinePassedError):
            await asyncio.wait_for(future, 10)

    assert run(scene, timeout=0.02) == []


def test_a_malformed_answer_kills_the_instance_and_fails_only_its_event() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        first, second = await submit(queue, *numbered(2))
        queue.answered(slot, [({"n": 1, "k": "ok"}, b"")])  # type: ignore[arg-type]
        with pytest.raises(InstanceDiedError):
            await first
        assert slot.killed_for is not None
        assert "malformed" in slot.killed_for
        queue.answered(slot, [({"n": 99, "k": "ok", "s": 0.0}, b"never asked")])  # type: ignore[arg-type]
        assert not second.done()

    run(scene)


def test_drained_waits_for_what_runs_on_instances_that_take_no_more() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        await submit(queue, b"0")
        queue.withdraw(slot)  # type: ignore[arg-type]
        drained = asyncio.ensure_future(queue.drained())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(drained), 0.02)
        slot.answer(queue)
        await asyncio.wait_for(drained, 10)

    run(scene)


def test_what_waits_fails_when_nobody_will_take_it() -> None:
    async def scene(queue: EventQueue) -> None:
        futures = await submit(queue, *numbered(2))
        queue.fail_waiting(UnavailableError("stopping"))
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [UnavailableError] * 2
        assert queue.outcomes.failed == 2

    run(scene)


def test_an_instance_that_is_about_to_be_killed_gets_no_further_event() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        await submit(queue, *numbered(2))
        slot.killed_for = "its deadline passed"
        slot.answer(queue)
        await submit(queue, b"2")
        assert slot.sent == [[b"0"]]
        assert len(queue) == 2

    run(scene)


@pytest.mark.parametrize(
    "head",
    [{"st": float("inf")}, {"s": "soon"}, {"h": 7}, {"p": [{"t": "a", "l": 1, "q": 9, "r": 0}]}, {"k": 1}],
)
def test_an_answer_of_the_wrong_types_settles_its_event_all_the_same(head: dict[str, Any]) -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        (future,) = await submit(queue, b"0")
        queue.answered(slot, [({"n": 1, "k": "ok", "s": 0.1, **head}, b"body")])  # type: ignore[arg-type]
        with pytest.raises(InstanceDiedError):
            await asyncio.wait_for(future, 10)

    run(scene)


def test_an_event_whose_caller_has_gone_is_never_handed_out() -> None:
    async def scene(queue: EventQueue) -> None:
        first, second = await submit(queue, *numbered(2))
        first.cancel()
        slot = StubSlot()
        add(queue, slot)
        assert slot.sent == [[b"1"]]
        assert not second.done()

    run(scene)


def test_a_caller_who_floods_the_queue_leaves_room_and_turns_to_others() -> None:
    async def scene(queue: EventQueue) -> None:
        flood = [queue.submit(Event(body, caller="flood")) for body in numbered(10)]
        other = queue.submit(Event(b"other", caller="other"))
        with pytest.raises(QueueFullError):
            await flood[-1]
        slot = StubSlot()
        add(queue, slot)
        slot.answer(queue)
        assert slot.sent == [[b"0"], [b"other"]]
        slot.answer(queue)
        assert (await other).body == b"other"

    run(scene, queue=10)


def test_events_of_a_vectorised_model_go_together_and_share_their_time() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        slot.takes_batches = True
        add(queue, slot)
        futures = await submit(queue, *numbered(1))
        futures += await submit(queue, *numbered(9))
        slot.answer(queue, seconds=0.4)
        slot.answer(queue, seconds=0.4)
        slot.answer(queue, seconds=0.4)
        assert [len(batch) for batch in slot.sent] == [1, 8, 1]
        await asyncio.gather(*futures)
        assert queue.outcomes.service.calls == 3
        assert (queue.outcomes.service.seconds or 1.0) < 0.4

    run(scene, batch=BatchRule(8, 0.0))


def test_a_batch_waits_for_those_that_were_there_before_and_goes_when_they_are_back() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        slot.takes_batches = True
        await submit(queue, *numbered(6))
        add(queue, slot)
        slot.answer(queue)
        await submit(queue, *numbered(1))
        assert not slot.running, "it waits for company"
        await submit(queue, *numbered(5))
        assert len(slot.running) == 6

    run(scene, batch=BatchRule(8, 10.0))


def test_events_that_no_instance_can_take_are_told_once_and_not_at_each_arrival() -> None:
    told: list[int] = []

    async def scene() -> None:
        queue = EventQueue(spec(), lambda slot, why: None, lambda: told.append(1))
        await submit(queue, *numbered(50))
        assert len(told) == 1

    asyncio.run(scene())


def test_drained_notices_that_the_callers_of_what_waits_have_hung_up() -> None:
    async def scene(queue: EventQueue) -> None:
        futures = await submit(queue, *numbered(3))
        drained = asyncio.ensure_future(queue.drained())
        await asyncio.sleep(0)
        for future in futures:
            future.cancel()
        await asyncio.wait_for(drained, 10)

    run(scene)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -1.0, "soon"])
def test_a_time_that_is_none_is_not_learned(seconds: object) -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        (future,) = await submit(queue, b"0")
        queue.answered(slot, [({"n": 1, "k": "ok", "s": seconds}, b"")])  # type: ignore[arg-type]
        with pytest.raises(InstanceDiedError):
            await future
        assert queue.outcomes.service.seconds is None

    run(scene)


def test_the_time_of_what_raises_is_learned_as_well() -> None:
    async def scene(queue: EventQueue) -> None:
        slot = StubSlot()
        add(queue, slot)
        (future,) = await submit(queue, b"0")
        error = {"type": "ValueError", "message": "no", "stack": []}
        queue.answered(slot, [({"n": 1, "k": "raised", "error": error, "s": 0.25}, b"")])  # type: ignore[arg-type]
        with pytest.raises(FunctionRaisedError):
            await future
        assert queue.outcomes.service.seconds == 0.25

    run(scene)
