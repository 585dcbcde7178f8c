"""Events that wait: whose turn it is, and who has to make room."""

import asyncio
from collections.abc import Callable

import pytest

from runtime.dispatch.ticket import Ticket
from runtime.dispatch.waiting import WaitingLine
from runtime.events import Event, QueueFullError


def ticket(caller: str, body: bytes, deadline: float = 10.0) -> Ticket:
    return Ticket(Event(body, caller=caller), asyncio.get_running_loop().create_future(), 0.0, deadline)


def play(scene: Callable[[], None]) -> None:
    async def run() -> None:
        scene()

    asyncio.run(run())


def bodies(tickets: list[Ticket]) -> list[bytes]:
    return [each.event.body for each in tickets]


def fill(line: WaitingLine, text: str) -> list[Ticket]:
    """One event for each word: its caller's letter and its own number."""
    made = [ticket(word[0], word.encode()) for word in text.split()]
    for each in made:
        line.put(each, 0)
    return made


def test_callers_take_turns_and_each_ones_events_stay_in_order() -> None:
    def scene() -> None:
        line = WaitingLine(100, 1000)
        fill(line, "a1 a2 a3 a4 b1 c1 c2")
        assert bodies(line.take(5)) == [b"a1", b"b1", b"c1", b"a2", b"c2"]
        assert bodies(line.take(5)) == [b"a3", b"a4"]
        assert not line

    play(scene)


def test_when_it_is_full_the_newest_of_who_has_most_makes_room_for_who_has_less() -> None:
    def scene() -> None:
        line = WaitingLine(4, 1000)
        fill(line, "a1 a2 a3 b1")
        assert bodies(line.put(ticket("b", b"b2"), 0)) == [b"a3"]
        with pytest.raises(QueueFullError):
            line.put(ticket("b", b"b3"), 0)
        with pytest.raises(QueueFullError):
            line.put(ticket("a", b"a4"), 0)
        assert bodies(line.put(ticket("c", b"c1"), 0)) in ([b"a2"], [b"b2"])
        assert len(line) == 4

    play(scene)


def test_bytes_are_shared_out_as_well_and_who_cannot_be_let_in_drives_nobody_out() -> None:
    def scene() -> None:
        line = WaitingLine(100, 100)
        for _ in range(3):
            line.put(ticket("a", bytes(30)), 0)
        with pytest.raises(QueueFullError):
            line.put(ticket("b", bytes(90)), 0)
        assert len(line) == 3
        assert len(line.put(ticket("b", bytes(20)), 0)) == 1
        assert [len(each.event.body) for each in line.take(9)] == [30, 20, 30]

    play(scene)


def test_one_event_may_wait_however_large_it_is() -> None:
    def scene() -> None:
        line = WaitingLine(10, 10)
        assert line.put(ticket("a", bytes(100)), 0) == []

    play(scene)


def test_events_that_nobody_waits_for_take_no_room_and_are_never_handed_out() -> None:
    def scene() -> None:
        line = WaitingLine(3, 1000, clock=iter(range(9)).__next__)
        first, _, third = fill(line, "a1 a2 a3")
        first.future.cancel()
        third.future.cancel()
        assert line.put(ticket("a", b"a4"), 0) == []
        assert bodies(line.take(9)) == [b"a2", b"a4"]
        for each in fill(line, "b1 b2 c1"):
            each.future.cancel()
        line.forget_cancelled()
        assert not line
        assert bodies(fill(line, "b3")) == bodies(line.take(9))

    play(scene)


def test_what_comes_back_waits_before_all_others_of_its_caller() -> None:
    def scene() -> None:
        line = WaitingLine(100, 1000)
        fill(line, "a1 a2 a3")
        taken = line.take(2)
        line.put_back(taken)
        assert bodies(line.take(9)) == [b"a1", b"a2", b"a3"]

    play(scene)


def test_those_past_their_deadline_are_taken_out_and_the_next_deadline_is_known() -> None:
    def scene() -> None:
        line = WaitingLine(100, 1000)
        for caller, deadline in (("a", 1.0), ("a", 3.0), ("b", 2.0)):
            line.put(ticket(caller, b"%d" % int(deadline), deadline), 0)
        assert sorted(bodies(line.overdue(2.5))) == [b"1", b"2"]
        assert line.first_deadline() == 3.0
        assert bodies(line.take(9)) == [b"3"]
        assert line.first_deadline() is None

    play(scene)
