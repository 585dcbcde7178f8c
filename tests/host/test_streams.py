"""Streamed answers over HTTP, as chunks and as Server-Sent Events."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
import uvloop

from runtime.events import Answer, FunctionRaisedError, InstanceDiedError
from tests.host.fronts import Connection, Front, post, until, with_front
from triggers.http_streams import Taker, send_stream

EVENTS = b"Accept: text/event-stream"
Piece = bytes | Exception | None


class Pieces:
    """A stream fed by the test: None ends it, an exception is raised."""

    def __init__(self, *pieces: Piece) -> None:
        self._coming: asyncio.Queue[Piece] = asyncio.Queue()
        self.cancelled = False
        for piece in pieces:
            self._coming.put_nowait(piece)

    def put(self, piece: Piece) -> None:
        self._coming.put_nowait(piece)

    def cancel(self) -> None:
        self.cancelled = True

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        piece = await self._coming.get()
        if isinstance(piece, Exception):
            raise piece
        if piece is None:
            raise StopAsyncIteration
        return piece


class Endless(Pieces):
    """Large pieces as fast as they are taken."""

    taken = 0

    async def __anext__(self) -> bytes:
        self.taken += 1
        return b"x" * 64_000


def streaming(stream: Pieces, content_type: str = "text/plain", **changes: Any) -> Answer:
    return Answer(b"", content_type, revision="f@1", stream=stream, **changes)


def both_ways(scenario: Callable[[Front, Connection], Awaitable[None]]) -> None:
    """Run it with callers whose head is parsed, and with one whose head is known by then."""

    async def run(front: Front) -> None:
        for _ in range(3):
            front.events.clear()
            await scenario(front, await front.connect())

    with_front(run)


async def start(front: Front, caller: Connection, answer: Answer, *headers: bytes) -> bytes:
    """Ask, answer with a stream, and return the head."""
    caller.writer.write(post(b"1", *headers))
    (await front.dispatched(1)).set_result(answer)
    return await caller.head()


def test_each_piece_is_a_chunk_that_is_sent_before_the_next_is_there() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        stream = Pieces(b"one")
        head = await start(front, caller, streaming(stream, status=201, headers={"x-a": "b"}))
        assert head.startswith(b"HTTP/1.1 201 Created\r\n")
        for line in (
            b"transfer-encoding: chunked",
            b"content-type: text/plain",
            b"x-a: b",
            b"x-request-id: r1",
            b"x-function-revision: f@1",
        ):
            assert line + b"\r\n" in head
        assert await caller.chunk() == b"one"
        stream.put(b"")
        stream.put(b"two\n")
        assert await caller.chunk() == b"two\n"
        stream.put(None)
        assert await caller.chunk() == b""
        caller.writer.write(post(b"1"))
        (await front.dispatched(2)).set_result(Answer(b"2"))
        assert (await caller.answer()).endswith(b"2"), "the connection goes on"

    both_ways(scenario)


def test_to_a_caller_of_http_1_0_a_stream_ends_with_the_connection() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        caller.writer.write(post(b"1", version=b"1.0"))
        (await front.dispatched(1)).set_result(streaming(Pieces(b"one", b"two", None)))
        head = await caller.head()
        assert b"transfer-encoding" not in head and b"connection: close\r\n" in head
        assert await caller.rest() == b"onetwo"

    both_ways(scenario)


def test_a_stream_that_fails_before_its_first_piece_is_answered_as_any_failure() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        caller.writer.write(post(b"1"))
        (await front.dispatched(1)).set_result(streaming(Pieces(InstanceDiedError("exit code 3"))))
        assert (await caller.answer()).startswith(b"HTTP/1.1 502 ")

    both_ways(scenario)


def test_a_stream_that_fails_later_is_cut_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        await start(front, caller, streaming(Pieces(b"one", InstanceDiedError("exit code 3"))))
        assert await caller.rest() == b"3\r\none\r\n", "without the last chunk"
        assert caplog.messages == ["the stream of f@1 (r1) broke off: exit code 3"]
        caplog.clear()

    both_ways(scenario)


@pytest.mark.parametrize("headers", [(), (EVENTS,)])
def test_a_stream_is_cancelled_when_its_caller_hangs_up(
    headers: tuple[bytes, ...], caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        stream = Pieces(b"one")
        await start(front, caller, streaming(stream), *headers)
        caller.hang_up()
        await until(lambda: stream.cancelled)
        assert caplog.messages == []

    both_ways(scenario)


def test_a_caller_that_reads_slowly_slows_the_stream_down() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        stream = Endless()
        await start(front, caller, streaming(stream))
        connections = front.web._server.server_state.connections
        await until(lambda: any(each.flow.write_paused for each in connections))  # type: ignore[union-attr]
        before = stream.taken
        for _ in range(100):
            await asyncio.sleep(0)
        assert stream.taken <= before + 1
        for _ in range(before + 2):
            assert len(await caller.chunk()) == 64_000

    both_ways(scenario)


def test_who_accepts_events_gets_one_for_each_piece() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        stream = Pieces(b'{"t":1}\n', b"two\r\nlines", "温度\n\n".encode(), None)
        headers = {"Cache-Control": "max-age=9"}
        head = await start(front, caller, streaming(stream, "application/x-ndjson", headers=headers), EVENTS)
        assert b"content-type: text/event-stream\r\n" in head
        assert b"cache-control: no-store\r\nx-accel-buffering: no\r\n" in head
        assert b"max-age" not in head
        assert await caller.chunk() == b'data: {"t":1}\n\n'
        assert await caller.chunk() == b"data: two\ndata: lines\n\n"
        assert await caller.chunk() == "data: 温度\ndata: \n\n".encode()
        assert await caller.chunk() == b""

    both_ways(scenario)


def test_a_failure_within_events_is_an_event_of_its_own() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        failure = FunctionRaisedError("ValueError", "no\ngood", [])
        await start(front, caller, streaming(Pieces(b"1\n", failure)), EVENTS)
        assert await caller.chunk() == b"data: 1\n\n"
        told = await caller.chunk()
        assert told.startswith(b'event: error\ndata: {"type": "about:blank"') and told.endswith(b"}\n\n")
        assert b'"errorMessage": "no\\ngood"' in told
        assert await caller.chunk() == b""

    both_ways(scenario)


def test_what_the_function_itself_sends_as_events_goes_as_it_is() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        stream = Pieces(b"data: 1\n\ndata", b": 2\n\n", None)
        head = await start(front, caller, streaming(stream, "text/event-stream; charset=utf-8"), EVENTS)
        assert b"x-accel-buffering" not in head
        assert [await caller.chunk() for _ in range(3)] == [b"data: 1\n\ndata", b": 2\n\n", b""]

    both_ways(scenario)


def test_an_answer_that_is_no_stream_stays_as_it_is_for_those_who_accept_events() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        caller.writer.write(post(b"1", EVENTS))
        (await front.dispatched(1)).set_result(Answer(b"21"))
        answer = await caller.answer()
        assert b"content-type: application/json\r\n" in answer and answer.endswith(b"\r\n\r\n21")

    both_ways(scenario)


def test_a_stream_with_a_status_that_has_no_body_sends_none() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        stream = Pieces(b"one")
        head = await start(front, caller, streaming(stream, status=204))
        assert head.startswith(b"HTTP/1.1 204 ")
        await until(lambda: stream.cancelled)

    both_ways(scenario)


def test_comments_keep_a_silent_stream_of_events_awake() -> None:
    async def run() -> None:
        stream = Pieces(b"1\n")
        sent: list[bytes] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message.get("body", b""))
            if sent.count(b":\n\n") == 3 and b"data: 2\n\n" not in sent:
                stream.put(b"2\n")
                stream.put(None)

        taker = Taker(send, "r1", events=True, exchange=None, keep_awake=0.005)
        await send_stream(taker, streaming(stream), stream)
        assert sent[1] == b"data: 1\n\n" and sent[-2:] == [b"data: 2\n\n", b""]
        assert set(sent[2:-2]) == {b":\n\n"}

    uvloop.run(run())


def test_a_caller_that_hangs_up_just_as_its_stream_begins_ends_it() -> None:
    async def scenario(front: Front, caller: Connection) -> None:
        stream = Endless()
        caller.writer.write(post(b"1"))
        future = await front.dispatched(1)
        (end,) = front.connections
        future.set_result(streaming(stream))
        # In the same turn of the loop, before anyone is told of either.
        end.transport.abort()
        await until(lambda: stream.cancelled)
        await until(lambda: not front.connections)

    both_ways(scenario)
