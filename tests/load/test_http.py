"""The load over HTTP against a server that answers as it is told, byte for byte."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from host.load.http import LOST, UNREACHABLE, HttpSender, place_of
from host.load.sender import SenderError
from host.load.step import UNANSWERED, Pace, run_step

ONE = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", b"1\r\nd\r\n0\r\n\r\n"
CLOSING = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\n1"
BUSY = b'HTTP/1.1 429 Too Many Requests\r\ncontent-length: 25\r\n\r\n{"detail": "1000 queued"}'
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"
DEADLINE = 60.0

Parts = Sequence[bytes]


@asynccontextmanager
async def serving(*answers: Parts, most: int = 1) -> AsyncIterator[tuple[HttpSender, list[bytes]]]:
    """A sender to a server that answers the first request with the first of `answers`, and so on.

    Each part of an answer goes out by itself; one without parts hangs up, and those after the last one wait
    for ever.
    """
    left, requests = list(answers), []
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                requests.append(await reader.readuntil(b"{}"))
                if not left:
                    await reader.read()
                    break
                parts = left.pop(0)
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if not parts:
                    break
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    sender = HttpSender(place_of(url, "工业@live", (b"{}", "application/json")), most)
    await sender.open()
    try:
        yield sender, requests
    finally:
        await sender.close()
        server.close()
        await asyncio.wait_for(asyncio.gather(*serving), DEADLINE)


async def ask(sender: HttpSender) -> str:
    """What became of one event."""
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    sender.send(heard.set_result)
    return await asyncio.wait_for(heard, DEADLINE)


def test_whole_chunked_empty_and_closing_answers_are_answers() -> None:
    async def scene() -> None:
        async with serving([ONE], CHUNKED, [CLOSING], [EMPTY], [ONE[:20], ONE[20:]]) as (sender, requests):
            assert [await ask(sender) for _ in range(5)] == [""] * 5
        assert requests[0].startswith(b"POST /invoke/%E5%B7%A5%E4%B8%9A@live HTTP/1.1\r\n")
        assert b"\r\nx-fnhost-bench: 1\r\n" in requests[0]

    asyncio.run(scene())


def test_a_refusal_and_a_broken_connection_are_told_apart_and_the_next_event_goes_on() -> None:
    async def scene() -> None:
        async with serving([BUSY], [], [CHUNKED[0], b"x"], [ONE]) as (sender, _):
            assert await ask(sender) == "429"
            assert sender.explain("429") == "1000 queued"
            assert await ask(sender) == LOST
            assert await ask(sender) == LOST
            assert await ask(sender) == ""

    asyncio.run(scene())


def test_more_events_than_connections_wait_for_one() -> None:
    async def scene() -> None:
        async with serving(*[[ONE]] * 30, most=2) as (sender, _):
            assert await asyncio.gather(*(ask(sender) for _ in range(30))) == [""] * 30

    asyncio.run(scene())


def test_a_host_that_goes_away_is_told_for_each_event() -> None:
    async def scene() -> None:
        async with serving([CLOSING]) as (sender, _):
            assert await ask(sender) == ""
        assert await ask(sender) == UNREACHABLE
        with pytest.raises(SenderError, match="no connection to"):
            await sender.open()

    asyncio.run(scene())


def test_events_are_sent_at_their_rate_whether_or_not_answers_come() -> None:
    async def scene() -> None:
        hurry = 0.0

        def clock() -> float:
            """Real time until all is sent; then nobody wants to wait for answers that never come."""
            nonlocal hurry
            hurry += len(requests) == 10
            return time.perf_counter() + hurry

        async def count() -> int:
            return 3

        async with serving([ONE], [BUSY], most=50) as (sender, requests):
            step = await run_step(sender, Pace(20, 0.5), count, clock)
            assert len(requests) == 10
            assert await sender.settle(0)
        assert (step.events, step.instances, step.backlog) == (10, 3, 8)
        assert step.errors == {"429": 1, UNANSWERED: 8}
        assert step.failed == 9
        assert step.answered == 4
        # Those without an answer count with the time they have waited.
        assert step.p50 > 4

    asyncio.run(scene())
