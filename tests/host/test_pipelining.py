"""Requests that come before the one ahead of them is answered reach their own functions, and no others."""

import asyncio
import json
import random

import pytest

from runtime.events import Answer, Event
from tests.host.fronts import Connection, Front, post, until, with_front

A = post(b"1")
OTHERS = [
    post(b"22", target=b"g"),
    post(b"", target=b"g"),
    post(b"x" * 500, target=b"f@2"),
    post(b"1", target=b"g?x=1"),
    post(b"333").replace(b"r1", b"r2"),
]


def echo(event: Event) -> Answer:
    """What was asked, with what its head said, as the function sees it."""
    assert isinstance(event.meta, bytes)
    meta = json.loads(event.meta)
    said = [meta["path"], meta["query"], meta["headers"]["content-length"], event.id]
    return Answer(" ".join([*said, event.body.decode()]).encode())


def expected(request: bytes) -> bytes:
    """The body of the answer to a request of `post`."""
    head, _, body = request.partition(b"\r\n\r\n")
    path, _, query = head.split(b" ")[1].partition(b"?")
    request_id = head.partition(b"X-Request-Id: ")[2][:2]
    return b" ".join([path, query, b"%d" % len(body), request_id, body])


async def answer_next(front: Front, count: int) -> None:
    """Answer the event that makes so many."""
    future = await front.dispatched(count)
    future.set_result(echo(front.events[count - 1][0]))


async def body_of(caller: Connection) -> bytes:
    return (await caller.answer()).partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("met", [0, 1, 2, 3])
@pytest.mark.parametrize("apart", [False, True])
def test_a_request_behind_another_leaves_its_head_meaning_what_it_says(met: int, apart: bool) -> None:
    async def scenario(front: Front) -> None:
        count = 0
        for other in OTHERS:
            caller, stranger = await front.connect(), await front.connect()
            for _ in range(met):
                caller.writer.write(A)
                await answer_next(front, count := count + 1)
                assert await body_of(caller) == expected(A)
            caller.writer.write(A if apart else A + other)
            await front.dispatched(count + 1)
            if apart:
                caller.writer.write(other)
                await until(lambda: any(each.pipeline for each in front.connections))
            for request in (A, other):
                await answer_next(front, count := count + 1)
                assert await body_of(caller) == expected(request)
            for request in (A, other, A, other, A, other):
                stranger.writer.write(request)
                await answer_next(front, count := count + 1)
                assert await body_of(stranger) == expected(request)
                assert front.targets[-1].encode() == expected(request)[len("/invoke/") :].split(b" ")[0]

    with_front(scenario)


@pytest.mark.parametrize("seed", range(4))
def test_every_request_gets_its_own_answer_however_the_bytes_come(seed: int) -> None:
    dice = random.Random(seed)
    known = [A, *OTHERS, post(b"4", b"X-A: 1"), post(b"5", b"X-B: \t2 ", target=b"h")]

    async def answer_some(front: Front) -> None:
        count = 0
        while True:
            await asyncio.sleep(0)
            if count < len(front.events) and dice.random() < 0.3:
                event, future = front.events[count]
                count += 1
                future.set_result(echo(event))

    async def ask(caller: Connection) -> None:
        for _ in range(40):
            requests = [dice.choice(known) for _ in range(dice.choice([1, 1, 1, 2, 3]))]
            data = dice.choice([b"", b"", b"", b"\r\n"]) + b"".join(requests)
            ends = [data.rindex(requests[-1]), data.index(requests[0])]
            cuts = sorted(dice.choice([*ends, dice.randrange(len(data))]) for _ in range(dice.randrange(4)))
            for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
                caller.writer.write(data[start:end])
                for _ in range(dice.randrange(6)):
                    await asyncio.sleep(0)
            for request in requests:
                assert await body_of(caller) == expected(request)

    async def scenario(front: Front) -> None:
        answering = asyncio.create_task(answer_some(front))
        await asyncio.gather(*[ask(await front.connect()) for _ in range(4)])
        answering.cancel()
        assert front.trigger.parsed < len(front.events)

    with_front(scenario)
