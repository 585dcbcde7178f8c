"""Callers that send or read too slowly, on both ways through the server."""

import asyncio
import socket
from collections.abc import Callable

import pytest

from conf.limits import Limits
from conf.models import Config
from host.web.whole_answer import WholeAnswerProtocol
from runtime.events import Answer, Event
from tests.host.fronts import Connection, Front, post, until, with_front

HEADER_TIME, BODY_TIME, WRITE_TIME, IDLE_TIME = 10.0, 60.0, 60.0, 75.0


def echo(event: Event) -> Answer:
    return Answer(event.body, revision="f@1")


class Buffered:
    """A transport with so many bytes that its caller has not taken."""

    def __init__(self, unsent: Callable[[], int], transport: asyncio.Transport) -> None:
        self.get_write_buffer_size = unsent
        self._transport = transport

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


async def open_one(front: Front) -> tuple[Connection, WholeAnswerProtocol]:
    """The only connection, seen from both ends."""
    caller = await front.connect()
    await until(lambda: front.connections)
    return caller, front.connections[0]


async def closes(caller: Connection, end: WholeAnswerProtocol, after: float, status: bytes) -> None:
    """It is there just before, and gone just after so many seconds since its request began."""
    began = end._since if end.is_under_way() else end.idle_since
    assert began is not None
    end.look(began + after - 0.5)
    assert not end.transport.is_closing()
    end.look(began + after + 0.5)
    assert (await caller.rest()).startswith(status)
    await until(lambda: end not in end.crowd.members)


def test_a_head_is_complete_in_time_or_gets_408_however_it_trickles() -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        for number, byte in enumerate(post(b"1")[:40]):
            end.data_received(bytes([byte]))
            assert end._since is not None
            end.look(end._since + number * 0.2)
        await closes(caller, end, HEADER_TIME, b"HTTP/1.1 408 ")
        assert front.events == []

    with_front(scenario, echo)


@pytest.mark.parametrize("known", [False, True])
def test_a_body_that_trickles_gets_408_after_a_grace(known: bool) -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        request = post(b"x" * 20_000)
        for _ in range(2 if known else 0):
            await caller.ask(request)
        caller.writer.write(request[:-19_000])
        await until(end.is_under_way)
        assert bool(end._held) == known
        await closes(caller, end, HEADER_TIME, b"HTTP/1.1 408 ")

    with_front(scenario, echo)


def test_what_comes_after_a_408_runs_nothing() -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        request = post(b"x" * 20_000)
        for _ in range(2):
            await caller.ask(request)
        # Over TLS a connection that is closing goes on to read.
        end.data_received(request[:-19_000])
        assert end._held
        end.look(end.loop.time() + BODY_TIME + 1)
        end.data_received(request[-19_000:])
        end.data_received(request)
        assert (await caller.rest()).startswith(b"HTTP/1.1 408 ")
        assert len(front.events) == 2

    with_front(scenario, echo)


def test_a_body_at_the_least_rate_goes_on_until_its_time_is_over() -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        caller.writer.write(post(b"x" * 200_000)[:1000])
        await until(end.is_under_way)
        began = end._since
        assert began is not None
        for second in range(1, int(BODY_TIME) + 1):
            end.data_received(b"x" * 1100)
            await until(lambda: not end.cycle.body)
            end.look(began + second)
            assert not end.transport.is_closing(), second
        end.data_received(b"x" * 1100)
        end.look(began + BODY_TIME + 1)
        assert (await caller.rest()).startswith(b"HTTP/1.1 408 ")

    with_front(scenario, echo)


def test_a_package_may_take_longer_than_other_bodies() -> None:
    async def scenario(front: Front) -> None:
        release = asyncio.Event()

        async def api(scope: object, receive: object, send: object) -> None:
            await release.wait()

        front.web._server.config.app._api = api  # type: ignore[union-attr]
        _, end = await open_one(front)
        end.data_received(b"POST /api/functions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n")
        assert end._since is not None
        end._got = 1 << 20
        end.look(end._since + 10 * BODY_TIME)
        assert not end.transport.is_closing()
        end._got = 100
        end.look(end._since + 10 * BODY_TIME)
        assert end.transport.is_closing()
        release.set()

    with_front(scenario, echo)


def test_a_body_that_nobody_wants_is_timed_as_well() -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        caller.writer.write(post(b"x" * 20_000).replace(b"POST", b"GET")[:-19_000])
        assert (await caller.answer()).startswith(b"HTTP/1.1 405 ")
        assert end._in_body
        await closes(caller, end, HEADER_TIME, b"")

    with_front(scenario, echo)


def test_who_waits_for_an_answer_is_never_slow() -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        caller.writer.write(post(b"1"))
        future = await front.dispatched(1)
        end.look(end.loop.time() + 100_000)
        future.set_result(Answer(b"2"))
        assert (await caller.answer()).endswith(b"2")
        await closes(caller, end, IDLE_TIME, b"")

    with_front(scenario)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_caller_that_takes_nothing_of_its_answer_is_cut_off(keeps: bool) -> None:
    async def scenario(front: Front) -> None:
        port = int(front.web.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as deaf:
            await until(lambda: front.connections)
            (end,) = front.connections
            deaf.sendall(post(b"1") if keeps else post(b"1", b"Connection: close"))
            await until(lambda: end.transport.get_write_buffer_size() > 0)
            now = end.loop.time()
            end.look(now)
            end.look(now + WRITE_TIME - 0.5)
            assert end in end.crowd.members
            end.look(now + WRITE_TIME + 0.5)
            await until(lambda: not end.crowd.members)

    with_front(scenario, lambda event: Answer(b"x" * 30_000_000))


def test_a_caller_that_takes_a_little_of_its_answer_now_and_then_is_not() -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        caller.writer.write(post(b"1"))
        await until(lambda: end.transport.get_write_buffer_size() > 0)
        now = end.loop.time()
        for turn in range(4):
            end.look(now + turn * (WRITE_TIME - 1))
            left = end.transport.get_write_buffer_size()
            while end.transport.get_write_buffer_size() == left:
                await caller.reader.read(100_000)
        assert end in end.crowd.members

    with_front(scenario, lambda event: Answer(b"x" * 30_000_000))


@pytest.mark.parametrize("streams", [False, True])
def test_a_caller_that_takes_too_little_of_an_answer_for_long_is_cut_off(streams: bool) -> None:
    async def scenario(front: Front) -> None:
        caller, end = await open_one(front)
        caller.writer.write(post(b"1"))
        await until(lambda: end.transport.get_write_buffer_size() > 0)
        # What the transport says of its buffer, as if the caller took 100 bytes a second.
        left = 1_000_000
        end.transport = Buffered(lambda: left, end.transport)  # type: ignore[assignment]
        end.cycle.response_complete = not streams
        began = end.loop.time()
        for second in range(0, int(WRITE_TIME) + 2, 10):
            left = 1_000_000 - 100 * second
            end.look(began + second)
        assert end in end.crowd.members
        left -= 100
        end.look(began + WRITE_TIME + 10)
        assert end.transport.is_closing() != streams
        end.cycle.response_complete = True

    with_front(scenario, lambda event: Answer(b"x" * 30_000_000))


def test_dozens_of_slow_callers_are_gone_while_others_are_answered() -> None:
    config = Config(limits=Limits(header_time=0.2, body_time=0.5))

    async def scenario(front: Front) -> None:
        slow = [await front.connect() for _ in range(40)]
        for number, caller in enumerate(slow):
            caller.writer.write(post(b"x" * 20_000)[: 30 if number % 2 else -19_000])
        quick = await front.connect()
        left = set(slow)
        while left:
            assert (await quick.ask(post(b"1"))).startswith(b"HTTP/1.1 200 ")
            left = {caller for caller in left if not caller.writer.is_closing()}
            for caller in left:
                caller.writer.write(b"x")
            await asyncio.sleep(0)
        assert len(front.connections) == 1

    with_front(scenario, echo, config)
