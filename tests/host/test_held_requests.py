"""A request whose head is known and whose body is not here yet is held, for a while and in a few parts."""

import pytest

from host.web.whole_answer import MOST_PARTS, WholeAnswerProtocol
from runtime.events import Answer, Event
from tests.host.fronts import Connection, Front, post, until, with_front

NEW = b"X-New: yes"


def echo(event: Event) -> Answer:
    return Answer(event.body, revision="f@1")


async def start(front: Front, *headers: bytes) -> tuple[Connection, WholeAnswerProtocol]:
    """A connection for which `post(b"12")` is known, with all but the end of such a request on its way."""
    caller = await front.connect()
    for _ in range(2):
        await caller.ask(post(b"12"))
    (end,) = front.connections
    end.idle_since = 0.0
    caller.writer.write(post(b"12", *headers)[:-1])
    return caller, end


def is_here(end: WholeAnswerProtocol) -> bool:
    """Whether such a part has been read, whichever way it went."""
    return bool(end._held) or not (end.cycle.response_complete or end.cycle.more_body is False)


@pytest.mark.parametrize("headers", [[], [NEW]], ids=["known", "new"])
def test_a_request_that_begins_on_an_idle_connection_is_not_cut_off(headers: list[bytes]) -> None:
    async def scenario(front: Front) -> None:
        caller, end = await start(front, *headers)
        await until(lambda: is_here(end))
        end.look(end.loop.time() + 9)
        caller.writer.write(b"2")
        assert (await caller.answer()).endswith(b"\r\n\r\n12")
        assert front.trigger.parsed == (3 if headers else 2)

    with_front(scenario, echo)


@pytest.mark.parametrize("headers", [[], [NEW]], ids=["known", "new"])
def test_a_connection_whose_request_does_not_go_on_is_closed(headers: list[bytes]) -> None:
    async def scenario(front: Front) -> None:
        caller, end = await start(front, *headers)
        await until(lambda: is_here(end))
        end.look(end.loop.time() + 90)
        assert (await caller.rest()).startswith(b"HTTP/1.1 408 ")
        assert len(front.events) == 2

    with_front(scenario, echo)


def test_a_connection_with_a_request_behind_one_that_runs_is_not_closed() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        caller.writer.write(post(b"12"))
        future = await front.dispatched(1)
        caller.writer.write(post(b"34")[:-1])
        (end,) = front.connections
        await until(lambda: end.pipeline)
        end.look(end.loop.time() + 90)
        future.set_result(Answer(b"12"))
        assert (await caller.answer()).endswith(b"12")
        caller.writer.write(b"4")
        (await front.dispatched(2)).set_result(Answer(b"34"))
        assert (await caller.answer()).endswith(b"34")

    with_front(scenario)


def test_a_request_in_many_parts_is_joined_a_few_times_only() -> None:
    async def scenario(front: Front) -> None:
        body = b"1" * 60_000
        caller = await front.connect()
        for _ in range(2):
            await caller.ask(post(body))
        (end,) = front.connections
        request = post(body)
        end.data_received(request[:-50_000])
        for number in range(50_000):
            assert bool(end._held) == (number < MOST_PARTS)
            end.data_received(request[-1:])
        assert (await caller.answer()).endswith(body)
        assert front.trigger.parsed == 3
        await caller.ask(request)
        assert len(front.events) == 4

    with_front(scenario, echo)
