"""Requests with a known head go past the parser, and nobody can tell from their answers."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from host.web.known_heads import LONGEST_HEAD
from runtime.events import (
    Answer,
    DeadlinePassedError,
    Event,
    FunctionRaisedError,
    InputRejectedError,
    InstanceDiedError,
    QueueFullError,
    UnavailableError,
    UnknownFunctionError,
)
from tests.host.fronts import Connection, Front, post, until, with_front
from triggers.http_answers import LARGE


def echo(event: Event) -> Answer:
    return Answer(event.body, revision="f@1")


def raising(error: Exception) -> Callable[[Event], Answer]:
    def answer(event: Event) -> Answer:
        raise error

    return answer


ANSWERS: dict[str, Callable[[Event], Answer]] = {
    "plain": echo,
    "nothing": lambda event: Answer(None, revision="f@1"),
    "empty": lambda event: Answer(b"", "text/plain", revision="f@1"),
    "a Response": lambda event: Answer(b"no", "text/plain", 418, {"X-Pot": "tea"}, revision="f@1"),
    "large": lambda event: Answer(b"x" * 200_000, revision="f@1"),
    "what HTTP cannot say": lambda event: Answer(b"", "text/\nplain", revision="f@1"),
    "400": raising(InputRejectedError("not JSON")),
    "404": raising(UnknownFunctionError("no f")),
    "429": raising(QueueFullError("many wait")),
    "500": raising(FunctionRaisedError("ValueError", "no good: 温度", ["line"])),
    "502": raising(InstanceDiedError("exit code 3")),
    "503": raising(UnavailableError("it does not start")),
    "504": raising(DeadlinePassedError("2 s")),
    "a fault of the host": raising(KeyError("no such slot")),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_both_ways_give_the_same_answers(what: str) -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        first, *others = [await caller.ask(post(b"1")) for _ in range(4)]
        assert first.startswith(b"HTTP/1.1 ") and b"x-request-id: r1\r\n" in first
        assert others == [first] * 3
        assert front.trigger.parsed == 2

    with_front(scenario, ANSWERS[what])


@pytest.mark.parametrize(
    ("error", "status"), [(InstanceDiedError("signal SIGSEGV"), b"502"), (KeyError("no such slot"), b"500")]
)
def test_both_ways_give_the_same_answer_where_a_future_fails(
    error: Exception, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        answers = []
        for number in range(3):
            asking = asyncio.create_task(caller.ask(post(b"1")))
            (await front.dispatched(number + 1)).set_exception(error)
            answers.append(await asking)
        assert answers == answers[:1] * 3
        assert answers[0].startswith(b"HTTP/1.1 " + status)
        assert b"application/problem+json" in answers[0] and b'"requestId": "r1"' in answers[0]
        assert b"slot" not in answers[0]
        assert front.trigger.parsed == 2

    with_front(scenario)
    told = [record.getMessage() for record in caplog.records if record.exc_info]
    assert told == ["the host failed on the event r1 for f"] * (3 if status == b"500" else 0)


def test_both_ways_make_the_same_event_with_the_address_of_its_caller() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        for _ in range(3):
            await caller.ask(post(b"21", b"Content-Type: text/plain"))
        (parsed, _), _, (known, _) = front.events
        assert (parsed.caller, parsed.streams, parsed.body) == ("127.0.0.1", True, b"21")
        known.received = parsed.received
        assert known == parsed

    with_front(scenario, echo)


def test_a_request_that_comes_in_pieces_is_answered() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        request = post(b"12345")
        head = request.index(b"\r\n\r\n") + 4
        for cuts in ([len(request)], [head], [head, head + 2], [head - 1], [10, head], range(1, 200, 7)):
            start = 0
            for cut in [*cuts, len(request)]:
                count = len(front.events)
                caller.writer.write(request[start:cut])
                await caller.writer.drain()
                start = cut
                # Nothing says when a piece has been read: enough turns for it to go through the loopback.
                for _ in range(20):
                    await asyncio.sleep(0)
                assert len(front.events) <= count + (start >= len(request))
            assert (await caller.answer()).endswith(b"\r\n\r\n12345")

    with_front(scenario, echo)


async def make_known(front: Front, caller: Connection, body: bytes) -> None:
    """Have the first two events on this connection answered, so that the third has a known head."""
    for number in (1, 2):
        caller.writer.write(post(body))
        (await front.dispatched(number)).set_result(Answer(b"0"))
        await caller.answer()


def test_requests_behind_one_with_a_known_head_are_answered_in_their_order() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        await make_known(front, caller, b"0")
        caller.writer.write(post(b"1"))
        first = await front.dispatched(3)
        caller.writer.write(post(b"2") + post(b"3"))
        first.set_result(Answer(b"1"))
        for number in (2, 3):
            (await front.dispatched(number + 2)).set_result(Answer(b"%d" % number))
        assert [(await caller.answer())[-1:] for _ in range(3)] == [b"1", b"2", b"3"]
        caller.writer.write(post(b"4"))
        (await front.dispatched(6)).set_result(Answer(b"4"))
        assert (await caller.answer()).endswith(b"4")
        assert front.trigger.parsed == 4, "the first two, and those that came while another was under way"

    with_front(scenario)


@pytest.mark.parametrize("known", [False, True])
def test_what_was_accepted_is_answered_when_the_host_stops(known: bool) -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        await make_known(front, caller, b"00")
        part, other = await front.connect(), post(b"11") if known else post(b"11", b"X-New: yes")
        caller.writer.write(other)
        running = await front.dispatched(3)
        part.writer.write(post(b"22")[:-1])
        held = front.web._server.server_state.connections
        await until(lambda: any(getattr(each, "_held", b"") for each in held))
        stopping = asyncio.create_task(front.web.stop())
        await until(lambda: not any(getattr(each, "_held", b"") for each in held))
        part.writer.write(b"2")
        (await front.dispatched(4)).set_result(Answer(b"3"))
        running.set_result(Answer(b"2"))
        for each, body in ((caller, b"2"), (part, b"3")):
            answer = await each.rest()
            assert b"connection: close\r\n" in answer and answer.endswith(b"\r\n\r\n" + body)
        await stopping

    with_front(scenario)


@pytest.mark.parametrize("size", [1, 60_000, 300_000])
def test_a_caller_that_hangs_up_has_its_event_taken_back(size: int) -> None:
    async def scenario(front: Front) -> None:
        for number in range(1, 4):
            caller = await front.connect()
            caller.writer.write(post(b" " * size))
            future = await front.dispatched(number)
            caller.hang_up()
            await until(future.cancelled)
        await until(lambda: not front.web._server.server_state.connections)
        assert front.trigger.parsed == (3 if size >= LARGE else 2)

    with_front(scenario)


def test_an_asynchronous_event_goes_the_long_way_and_outlives_its_caller() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        for _ in range(2):
            answer = await caller.ask(post(b"1", b"X-Invocation-Type: async"))
            assert answer.startswith(b"HTTP/1.1 202 ")
        assert [event.streams for event in front.kept] == [False, False]
        assert (front.events, front.trigger.parsed) == ([], 2)

    with_front(scenario)


def test_a_caller_that_reads_nothing_is_given_no_more_than_the_buffers_hold() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        await caller.ask(post(b"1"))
        (connection,) = front.connections
        flow, asked = connection.flow, 1
        while not flow.write_paused:
            caller.writer.write(post(b"1") * 90)
            asked += 90
            await until(partial(lambda count: flow.write_paused or len(front.events) == count, asked))
        before = len(front.events)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(front.events) <= before + 1
        for _ in range(asked - 1):
            await caller.answer()

    with_front(scenario, lambda event: Answer(b"x" * 60_000))


def test_idle_connections_are_closed_and_those_that_wait_for_an_answer_are_not() -> None:
    async def scenario(front: Front) -> None:
        idle, waiting = await front.connect(), await front.connect()
        for number, caller in enumerate((idle, waiting), 1):
            caller.writer.write(post(b"1"))
            (await front.dispatched(number)).set_result(Answer(b"1"))
            await caller.answer()
        waiting.writer.write(post(b"1"))
        future = await front.dispatched(3)
        for connection in front.connections:
            connection.look(connection.loop.time() + 90)
        assert await idle.rest() == b""
        future.set_result(Answer(b"2"))
        assert (await waiting.answer()).endswith(b"2")

    with_front(scenario)


def test_a_limit_for_bodies_that_has_changed_holds_for_known_heads() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        for _ in range(3):
            assert (await caller.ask(post(b"12345"))).startswith(b"HTTP/1.1 200 ")
        assert front.trigger.parsed == 2
        front.trigger.max_body = 4
        assert (await caller.ask(post(b"12345"))).startswith(b"HTTP/1.1 413 ")
        assert await caller.rest() == b""

    with_front(scenario, echo)


@pytest.mark.parametrize(
    "request_",
    [
        post(b"1\r\n5\r\n0\r\n\r\n", b"Transfer-Encoding: chunked").replace(b"Content-Length: 11\r\n", b""),
        post(b"1", b"Connection: close"),
        post(b"1", version=b"1.0"),
        post(b"1", b"Expect: 100-continue"),
        post(b"1", b"Connection: Upgrade", b"Upgrade: h2c"),
        post(b"1", b"X-Long: " + b"x" * LONGEST_HEAD),
        post(b"1").replace(b"POST", b"GET"),
    ],
)
def test_a_head_that_alone_does_not_say_how_its_request_goes_on_is_parsed_each_time(request_: bytes) -> None:
    async def scenario(front: Front) -> None:
        for number in range(1, 4):
            caller = await front.connect()
            answer = await caller.ask(request_)
            if answer.startswith(b"HTTP/1.1 100 "):
                answer = await caller.answer()
            assert answer.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 405 "))
            assert front.trigger.parsed == number
            caller.hang_up()

    with_front(scenario, echo)
