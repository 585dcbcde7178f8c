"""What a head may hold, at each limit and one above it."""

import pytest

from host.web.guarded import MOST_HEAD, MOST_HEADERS, MOST_UNREAD, MOST_URL, MOST_WAITING
from runtime.events import Answer, Event
from tests.host.fronts import Front, post, until, with_front

START = b"POST /invoke/f?%b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"


def echo(event: Event) -> Answer:
    return Answer(event.body, revision="f@1")


def expect(request: bytes, status: int) -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        for _ in range(3 if status == 200 else 1):
            answer = await caller.ask(request)
            assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        if status != 200:
            assert b"application/problem+json" in answer
            assert await caller.rest() == b""
            assert front.events == []

    with_front(scenario, echo)


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 414)])
def test_a_url_has_8_kib_at_most(more: int, status: int) -> None:
    query = b"x" * (MOST_URL - len("/invoke/f?") + more)
    expect(START % query + b"\r\n1", status)


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
def test_a_head_has_100_headers_at_most(more: int, status: int) -> None:
    expect(START % b"" + b"X-A: 1\r\n" * (MOST_HEADERS - 2 + more) + b"\r\n1", status)


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
def test_headers_have_32_kib_at_most(more: int, status: int) -> None:
    room = MOST_HEAD - len("hostlocalhostcontent-length1x-a") + more
    expect(START % b"" + b"X-A: %b\r\n\r\n1" % (b"x" * room), status)


@pytest.mark.parametrize("start", [b"POST /", b"POST / HTTP/1.1\r\nX-A: ", b"POST / HTTP/1.1\r\nX-A"])
def test_a_head_that_never_ends_is_cut_off(start: bytes) -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        await until(lambda: front.connections)
        (end,) = front.connections
        end.data_received(start)
        for _ in range(MOST_UNREAD // 1000 + 1):
            assert not end._deaf
            end.data_received(b"x" * 1000)
        assert end._deaf
        assert (await caller.rest()).startswith(b"HTTP/1.1 431 ")

    with_front(scenario, echo)


def test_trailers_are_no_headers_and_do_not_go_on_for_ever() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        head = post(b"", b"Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        answer = await caller.ask(head + b"1\r\n7\r\n0\r\nX-Evil: 1\r\nHost: evil.example\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n7")
        assert isinstance(front.events[0][0].meta, bytes) and b"evil" not in front.events[0][0].meta
        (end,) = front.connections
        end.data_received(head + b"1\r\n7\r\n0\r\nX-Evil: ")
        while not end._deaf:
            end.data_received(b"x" * 1000)
            assert end._unfed <= MOST_UNREAD + 1000
        assert (await caller.rest()).startswith(b"HTTP/1.1 431 ")

    with_front(scenario, echo)


@pytest.mark.parametrize("more", [0, 1])
def test_100_requests_may_wait_behind_one_and_those_before_too_many_are_answered(more: int) -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        caller.writer.write(post(b"1") * (1 + MOST_WAITING + more))
        for number in range(1 + MOST_WAITING):
            (await front.dispatched(number + 1)).set_result(Answer(b"%d" % number))
            assert (await caller.answer()).endswith(b"\r\n\r\n%d" % number)
        if more:
            assert await caller.rest() == b""
        else:
            caller.writer.write(post(b"1"))
            (await front.dispatched(MOST_WAITING + 2)).set_result(Answer(b"last"))
            assert (await caller.answer()).endswith(b"last")

    with_front(scenario)


def test_what_is_no_http_behind_a_request_leaves_that_one_its_answer() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        caller.writer.write(post(b"1") + b"\x16\x03\x01 no http\r\n\r\n")
        (await front.dispatched(1)).set_result(Answer(b"mine"))
        answer = await caller.rest()
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\nmine")

    with_front(scenario)


def test_what_is_no_http_gets_400() -> None:
    async def scenario(front: Front) -> None:
        caller = await front.connect()
        caller.writer.write(b"\x16\x03\x01 no http\r\n\r\n")
        assert (await caller.rest()).startswith(b"HTTP/1.1 400 ")

    with_front(scenario)
