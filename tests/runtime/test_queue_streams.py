"""What the queue makes of pieces: a stream for callers that take one, one body for all others."""

import asyncio
from typing import Any

import pytest

from runtime.dispatch.queue import EventQueue
from runtime.events import Answer, DeadlinePassedError, Event, FunctionRaisedError, InstanceDiedError, Stream
from runtime.worker.frames import PIECE_COST
from tests.runtime.test_queue import StubSlot, add, gone, run

RAISED: dict[str, Any] = {
    "k": "raised",
    "error": {"type": "ValueError", "message": "no", "stack": []},
    "s": 0.1,
}


def tell(queue: EventQueue, slot: StubSlot, body: bytes = b"", **head: Any) -> None:
    queue.answered(slot, [({"n": 1, **head}, body)])  # type: ignore[arg-type]


async def begin(queue: EventQueue, streams: bool) -> "tuple[StubSlot, asyncio.Future[Answer]]":
    slot = StubSlot()
    add(queue, slot)
    future = queue.submit(Event(b"{}", streams=streams))
    await asyncio.sleep(0)
    slot.begun = 1
    return slot, future


async def stream_of(future: "asyncio.Future[Answer]") -> Stream:
    answer = await asyncio.wait_for(future, 10)
    assert answer.stream is not None
    return answer.stream


def test_pieces_reach_a_caller_that_takes_them_as_they_come() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        tell(queue, slot, b"one", k="piece", ct="text/plain", st=201, h={"x-a": "b"})
        stream = await stream_of(future)
        answer = future.result()
        assert (answer.content_type, answer.status, answer.headers) == ("text/plain", 201, {"x-a": "b"})
        assert await anext(stream) == b"one"
        assert slot.room == [3 + PIECE_COST]
        tell(queue, slot, b"two", k="piece")
        tell(queue, slot, b"payload", k="end", s=0.5, p=[{"t": "a", "q": 1, "r": False, "l": 7}])
        assert [piece async for piece in stream] == [b"two"]
        assert [each.payload for each in answer.publications] == [b"payload"]
        assert (queue.outcomes.ok, queue.in_flight) == (1, 0)

    run(scene)


def test_pieces_become_one_body_for_a_caller_that_takes_no_stream() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=False)
        tell(queue, slot, b"one ", k="piece", ct="text/plain")
        tell(queue, slot, b"two", k="piece")
        assert not future.done()
        tell(queue, slot, b"payload", k="end", s=0.5, p=[{"t": "a", "q": 1, "r": False, "l": 7}])
        answer = await future
        assert (answer.body, answer.content_type, answer.stream) == (b"one two", "text/plain", None)
        assert [each.payload for each in answer.publications] == [b"payload"]

    run(scene)


def test_pieces_that_are_too_many_for_one_body_fail_the_event_and_stop_the_function() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=False)
        tell(queue, slot, bytes(60), k="piece")
        tell(queue, slot, bytes(60), k="piece")
        with pytest.raises(FunctionRaisedError, match="max_result"):
            await future
        assert slot.cancelled == [1]
        tell(queue, slot, k="expired")
        assert queue.in_flight == 0

    run(scene, max_result=100)


@pytest.mark.parametrize("streams", [True, False])
def test_a_function_that_raises_before_its_first_piece_has_an_error_for_an_answer(streams: bool) -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams)
        tell(queue, slot, **RAISED)
        with pytest.raises(FunctionRaisedError):
            await future

    run(scene)


def test_a_failure_in_the_middle_reaches_the_reader_after_what_came_before() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        tell(queue, slot, b"one", k="piece")
        stream = await stream_of(future)
        tell(queue, slot, **RAISED)
        assert await anext(stream) == b"one"
        with pytest.raises(FunctionRaisedError):
            await anext(stream)
        assert (queue.outcomes.ok, queue.outcomes.failed) == (0, 1)

    run(scene)


def test_the_death_of_the_instance_reaches_the_reader() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        tell(queue, slot, b"one", k="piece")
        stream = await stream_of(future)
        gone(queue, slot)
        assert await anext(stream) == b"one"
        with pytest.raises(InstanceDiedError):
            await anext(stream)

    run(scene)


def test_a_reader_that_goes_away_stops_the_function() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        tell(queue, slot, b"one", k="piece")
        (await stream_of(future)).cancel()
        assert slot.cancelled == [1]
        tell(queue, slot, b"two", k="piece")
        tell(queue, slot, k="expired")
        assert queue.in_flight == 0

    run(scene)


def test_a_caller_that_goes_away_before_the_first_piece_stops_the_function() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        future.cancel()
        tell(queue, slot, b"one", k="piece")
        tell(queue, slot, b"two", k="piece")
        assert slot.cancelled == [1]

    run(scene)


def test_a_short_stream_that_was_on_its_way_when_its_caller_left_costs_nobody_anything() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        future.cancel()
        tell(queue, slot, b"one", k="piece", ct="text/plain")
        tell(queue, slot, k="end", s=0.5)
        assert slot.killed_for is None
        assert queue.in_flight == 0

    run(scene)


def test_a_deadline_ends_a_stream_first_gently_and_then_by_force() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        tell(queue, slot, b"one", k="piece")
        stream = await stream_of(future)
        assert await anext(stream) == b"one"
        with pytest.raises(DeadlinePassedError):
            await asyncio.wait_for(anext(stream), 10)
        assert slot.cancelled == [1]

    assert run(scene, timeout=0.02) == []


def test_an_instance_that_streams_more_than_it_had_room_for_is_killed() -> None:
    async def scene(queue: EventQueue) -> None:
        slot, future = await begin(queue, streams=True)
        tell(queue, slot, b"one", k="piece")
        await stream_of(future)
        for _ in range(5):
            tell(queue, slot, bytes(100_000), k="piece")
        assert slot.killed_for == "it streamed more than it had room for"

    run(scene, max_result=100_000)
