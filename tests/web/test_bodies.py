"""Bodies that are on their way: refused before they are read, and bounded all together."""

import asyncio

import pytest

from runtime.events import Answer, Event, InvocationError, QueueFullError, TooLargeError, UnknownFunctionError
from tests.host.fronts import Connection, Front, post, until, with_front
from triggers.bodies import SMALL, Bodies, ManyBodiesError


def echo(event: Event) -> Answer:
    return Answer(event.body, revision="f@1")


class Sender:
    """A body that comes in pieces of the test's."""

    def __init__(self, bodies: Bodies) -> None:
        self._pieces: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.reading = asyncio.ensure_future(bodies.read(self._pieces.get, 1 << 20))

    async def send(self, size: int, more: bool = True) -> None:
        self._pieces.put_nowait({"type": "http.request", "body": b"x" * size, "more_body": more})
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def hang_up(self) -> None:
        self._pieces.put_nowait({"type": "http.disconnect"})
        await asyncio.wait([self.reading])


def test_bodies_are_bounded_all_together_and_what_has_ended_makes_room() -> None:
    async def scenario() -> None:
        bodies = Bodies(100_000)
        alone, second, third = (Sender(bodies) for _ in range(3))
        await alone.send(SMALL + 100_001)
        assert bodies.taken == 100_001
        await second.send(SMALL)
        await second.send(1)
        with pytest.raises(ManyBodiesError) as caught:
            await second.reading
        assert (caught.value.status, caught.value.retry_after) == (503, 5.0)
        await third.send(SMALL, more=False)
        assert len(await third.reading) == SMALL
        await alone.hang_up()
        with pytest.raises(InvocationError):
            await alone.reading
        large = Sender(bodies)
        await large.send(1 << 20)
        await large.send(1)
        with pytest.raises(TooLargeError):
            await large.reading
        assert bodies.taken == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [UnknownFunctionError("no"), QueueFullError("no")])
def test_what_will_be_refused_is_refused_before_its_body_is_here(error: InvocationError) -> None:
    async def begin(front: Front) -> Connection:
        caller = await front.connect()
        caller.writer.write(post(b"x" * 200_000)[:-150_000])
        return caller

    async def scenario(front: Front) -> None:
        passes = await begin(front)
        await until(lambda: front.trigger.parsed == 1)

        def refuse(target: str, event: Event) -> None:
            assert (target, event.caller) == ("f", "127.0.0.1")
            raise error

        front.foresee = refuse
        caller = await begin(front)
        assert (await caller.answer()).startswith(b"HTTP/1.1 %d " % error.status)
        front.foresee = lambda target, event: None
        caller.writer.write(b"x" * 150_000)
        assert (await caller.ask(post(b"1"))).endswith(b"1")
        passes.writer.write(b"x" * 150_000)
        assert (await passes.answer()).endswith(b"x" * 200_000)
        assert front.trigger.bodies.taken == 0

    with_front(scenario, echo)
