"""What a pool tells its observer: each event that it took in ends once, and as what it ended."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from runtime.dispatch.queue import EventQueue
from runtime.events import Answer, Event, UnavailableError
from runtime.observations import Observer, Run
from tests.runtime.test_queue import StubSlot, add, gone, spec, submit

Scene = Callable[[EventQueue, StubSlot], Awaitable[None]]


class Seen(Observer):
    """Keeps all runs."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def ended(self, run: Run) -> None:
        self.runs.append(run)


def play(scene: Scene, **changes: Any) -> list[Run]:
    """What was observed of a queue and an instance that has not come up yet."""
    seen = Seen()

    async def run() -> None:
        queue = EventQueue(spec(**changes), lambda slot, why: slot.kill(why), lambda: None, seen)
        await scene(queue, StubSlot())

    asyncio.run(run())
    return seen.runs


def answer(queue: EventQueue, slot: StubSlot, **head: object) -> None:
    """The instance says this of the event it was given first."""
    number = next(iter(slot.running))
    queue.answered(slot, [({"n": number, "k": "ok", **head}, b"1")])  # type: ignore[arg-type]


async def answered(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    await submit(queue, b"e")
    slot.answer(queue, seconds=0.25)


async def raised(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    (future,) = await submit(queue, b"e")
    error = {"type": "ValueError", "message": "no", "stack": []}
    answer(queue, slot, k="raised", s=0.25, error=error)
    assert future.exception() is not None


async def cancelled_while_it_waits(queue: EventQueue, slot: StubSlot) -> None:
    (future,) = await submit(queue, b"e")
    future.cancel()
    add(queue, slot)


async def cancelled_and_looked_for(queue: EventQueue, slot: StubSlot) -> None:
    (future,) = await submit(queue, b"e")
    future.cancel()
    queue.forget_cancelled()


async def cancelled_while_it_runs(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    (future,) = await submit(queue, b"e")
    future.cancel()
    slot.answer(queue)


async def cancelled_and_its_instance_dies(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    (future,) = await submit(queue, b"e")
    future.cancel()
    gone(queue, slot)


async def dead(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    (future,) = await submit(queue, b"e")
    slot.begun = 1
    gone(queue, slot)
    assert future.exception() is not None


async def spared_and_answered_by_another(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    await submit(queue, b"e")
    gone(queue, slot)
    other = StubSlot()
    add(queue, other)
    other.answer(queue)


async def too_late_in_the_queue(queue: EventQueue, slot: StubSlot) -> None:
    (future,) = await submit(queue, b"e")
    await asyncio.wait([future])
    add(queue, slot)
    assert not slot.sent


async def too_late_behind_another(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    (future,) = await submit(queue, b"e")
    await asyncio.wait([future])


async def spared_and_stopped(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    await submit(queue, b"e")
    gone(queue, slot)
    queue.close(UnavailableError("f@1 is stopping"))


async def cancelled_and_its_instance_dies_at_it(queue: EventQueue, slot: StubSlot) -> None:
    slot.begun = 1
    await cancelled_and_its_instance_dies(queue, slot)


async def too_late_while_it_runs(queue: EventQueue, slot: StubSlot) -> None:
    add(queue, slot)
    (future,) = await submit(queue, b"e")
    slot.begun = 1
    await asyncio.wait([future])
    gone(queue, slot)


async def stopped(queue: EventQueue, slot: StubSlot) -> None:
    (future,) = await submit(queue, b"e")
    queue.close(UnavailableError("f@1 is stopping"))
    assert future.exception() is not None


async def streamed(queue: EventQueue, slot: StubSlot) -> None:
    await _stream(queue, slot)
    answer(queue, slot, k="end", s=0.25)


async def streamed_to_nobody(queue: EventQueue, slot: StubSlot) -> None:
    handed = await _stream(queue, slot)
    assert handed.stream is not None
    handed.stream.cancel()
    answer(queue, slot, k="end", s=0.25)


async def streamed_and_died(queue: EventQueue, slot: StubSlot) -> None:
    await _stream(queue, slot)
    slot.begun = 1
    gone(queue, slot)


async def _stream(queue: EventQueue, slot: StubSlot) -> Answer:
    add(queue, slot)
    future = queue.submit(Event(b"e", streams=True))
    answer(queue, slot, k="piece")
    return await future


ENDS: dict[Scene, str] = {
    answered: "ok",
    raised: "raised",
    cancelled_while_it_waits: "cancelled",
    cancelled_and_looked_for: "cancelled",
    cancelled_while_it_runs: "cancelled",
    cancelled_and_its_instance_dies: "cancelled",
    cancelled_and_its_instance_dies_at_it: "cancelled",
    dead: "died",
    spared_and_answered_by_another: "ok",
    too_late_in_the_queue: "timeout",
    too_late_behind_another: "timeout",
    too_late_while_it_runs: "timeout",
    spared_and_stopped: "unavailable",
    stopped: "unavailable",
    streamed: "ok",
    streamed_to_nobody: "cancelled",
    streamed_and_died: "died",
}


@pytest.mark.parametrize("scene", ENDS, ids=lambda scene: scene.__name__)
def test_each_event_that_was_taken_in_is_seen_to_end_once(scene: Scene) -> None:
    runs = play(scene, timeout=0.05 if scene.__name__.startswith("too_late") else 30.0)
    assert [run.result for run in runs] == [ENDS[scene]]


def test_a_run_tells_what_it_waited_and_what_it_ran() -> None:
    (run,) = play(answered)
    assert run.ran == 0.25
    assert (run.event.body, run.spec.label) == (b"e", "f@1")
    assert run.arrived <= run.sent <= run.ended


@pytest.mark.parametrize(
    ("scene", "begun"),
    [
        (too_late_in_the_queue, False),
        (too_late_behind_another, False),
        (too_late_while_it_runs, True),
        (spared_and_stopped, False),
        (cancelled_and_its_instance_dies, False),
        (cancelled_and_its_instance_dies_at_it, True),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_no_instance_began_has_waited_all_the_time_and_run_on_none(scene: Scene, begun: bool) -> None:
    (run,) = play(scene, timeout=0.05 if scene.__name__.startswith("too_late") else 30.0)
    assert (bool(run.sent), bool(run.pid)) == (begun, begun)
    assert begun or (run.ran == 0.0 and run.queued == run.ended - run.arrived)


def test_what_is_told_of_one_event_beside_its_error_is_its_own() -> None:
    async def stop(futures: "list[asyncio.Future[Answer]]", queue: EventQueue, slot: StubSlot) -> None:
        futures += await submit(queue, b"1", b"2")
        queue.close(UnavailableError("f@1 is stopping"))

    futures: list[asyncio.Future[Answer]] = []
    assert len(play(partial(stop, futures))) == 2
    first, second = (future.exception() for future in futures)
    assert first is not second
    assert isinstance(first, UnavailableError)
    assert first.revision == "f@1"
