"""Taking asynchronous events in."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.events import Event, UnavailableError, UnknownFunctionError
from tests.invocations.places import opened
from tests.mqtt.clients import play
from triggers.invocations.acceptance import Acceptance, AcceptanceParts, TakenIdError
from triggers.invocations.wish import Wish
from triggers.store.changes import Change
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore

LATER = Wish(preferred=False, callback="")
LANE = "async/industry"


class StuckStore(DeliveryStore):
    """One whose disk takes nothing before it is told to."""

    def submit(self, *changes: Change, durable: bool = True) -> "asyncio.Future[None]":
        return asyncio.get_running_loop().create_future()


def parts_of(store: DeliveryStore, woken: list[str]) -> AcceptanceParts:
    def check(target: str, event: Event) -> None:
        if target != "industry":
            raise UnknownFunctionError(target)

    return AcceptanceParts(store, Failpoints(), check, woken.append)


def test_the_same_id_at_the_same_time_is_one_event(tmp_path: Path) -> None:
    async def scene() -> None:
        woken: list[str] = []
        async with opened(tmp_path) as store:
            acceptance = Acceptance(parts_of(store, woken))
            events = [Event(b"%d" % n, id="one") for n in range(5)]
            taken = await asyncio.gather(*(acceptance.accept("industry", each, LATER) for each in events))
            assert {each.id for each in taken} == {"one"}
            assert [row.body for row in await store.read_events(LANE, 0, 10)] == [b"0"]
            assert woken == [LANE]

    play(scene())


def test_both_are_on_disk_when_it_returns(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            event = Event(b"{}", meta=b'{"trigger":"http","source":"http","path":"/invoke/industry"}')
            callback = Wish(preferred=True, callback="http://10.0.0.7/")
            told = await Acceptance(parts_of(store, [])).accept("industry", event, callback)
            assert await store.invocation(event.id) == told
            assert (told.state, told.callback_state) == ("waiting", "waiting")
            assert len(await store.read_events(LANE, 0, 10)) == 1

    play(scene())


def test_what_no_function_takes_is_refused_and_not_kept(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            with pytest.raises(UnknownFunctionError):
                await Acceptance(parts_of(store, [])).accept("nobody", Event(b"", id="x"), LATER)
            assert await store.invocation("x") is None

    play(scene())


def test_an_id_stands_for_one_function_only(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            acceptance = Acceptance(parts_of(store, []))
            await acceptance.accept("industry", Event(b"", id="x"), LATER)
            with pytest.raises(TakenIdError):
                await acceptance.accept("trend", Event(b"", id="x"), LATER)

    play(scene())


def test_a_caller_whose_event_the_disk_does_not_take_is_told_how_to_ask_again(tmp_path: Path) -> None:
    async def scene() -> None:
        store = StuckStore(tmp_path / "delivery.db")
        await store.open()
        acceptance = Acceptance(replace(parts_of(store, []), patience=0.05))
        with pytest.raises(UnavailableError, match="ask again with X-Request-Id: x"):
            await acceptance.accept("industry", Event(b"", id="x"), LATER)
        await store.close()

    play(scene())
