"""Replays through the API, over a real store whose lanes the test works itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from host.web.letter_edits import Edits
from host.web.letters import LettersApi
from tests.delivery.burying import LANE, LETTER, bury
from triggers.delivery.letters import DeadLetters
from triggers.store.store import DeliveryStore

API = "/api/dead-letters"

EDITS = Edits(lambda name: "json", lambda name: 64, 64, keeps=True)

Act = Callable[[DeliveryStore, httpx.AsyncClient], Awaitable[None]]


def play(folder: Path, act: Act) -> None:
    """Only LANE is worked here."""

    async def run() -> None:
        store = DeliveryStore(folder / "delivery.db")
        await store.open()
        letters = DeadLetters(store, lambda name: name == LANE)
        app = Starlette(routes=LettersApi(letters, EDITS).routes())
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            await act(store, client)
        await store.close()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_one_letter_is_replayed(tmp_path: Path) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        first, second = await bury(store, LETTER, LETTER)
        answer = await client.post(f"{API}/{first}/replay")
        assert (answer.status_code, answer.json()) == (200, {"replayed": 1, "stranded": {}})
        listed = (await client.get(API)).json()
        assert ([letter["seq"] for letter in listed["dead_letters"]], listed["total"]) == ([second], 1)
        assert len(await store.read_events(LANE, 0, 10)) == 1

    play(tmp_path, act)


def test_all_of_a_rule_are_replayed_and_the_stranded_are_counted_by_lane(tmp_path: Path) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        gone = replace(LETTER, lane="mqtt/b1/gone/echo")
        await bury(store, LETTER, LETTER, gone, replace(LETTER, rule="other"))
        answer = await client.post(f"{API}/replay", params={"rule": "telemetry"})
        assert answer.json() == {"replayed": 2, "stranded": {"mqtt/b1/gone/echo": 1}}
        answer = await client.post(f"{API}/replay", params={"all": "1"})
        assert answer.json() == {"replayed": 1, "stranded": {"mqtt/b1/gone/echo": 1}}

    play(tmp_path, act)


def test_a_letter_that_nobody_works_is_refused_by_its_number(tmp_path: Path) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        (seq,) = await bury(store, replace(LETTER, lane="mqtt/b1/gone/echo"))
        answer = await client.post(f"{API}/{seq}/replay")
        assert answer.status_code == 409
        assert f"dead letter {seq} is not replayed, nothing works mqtt/b1/gone/echo" in answer.text

    play(tmp_path, act)


def test_a_page_of_nothing_is_refused(tmp_path: Path) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        answer = await client.get(API, params={"limit": "0"})
        assert (answer.status_code, answer.text) == (400, "limit is 1 at least")

    play(tmp_path, act)


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000, "first", "-1", "1.5", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_what_is_no_number_of_a_letter_is_not_found(tmp_path: Path, number: str) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        for method, path in (("GET", number), ("DELETE", number), ("POST", f"{number}/replay")):
            answer = await client.request(method, f"{API}/{path}")
            assert (answer.status_code, number[:40] in answer.text) == (404, True)

    play(tmp_path, act)


def test_a_disk_that_takes_nothing_is_said_to_be_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        (seq,) = await bury(store, LETTER)
        monkeypatch.setattr(DeliveryStore, "trouble", "the disk is full")
        answer = await client.post(f"{API}/{seq}/replay")
        assert (answer.status_code, answer.text) == (503, "nothing is changed: the disk is full")

    play(tmp_path, act)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"payload": '{"t": 2}'}, 200),
        ({"payload_base64": "eyJ0IjogMn0="}, 200),
        ({}, 200),
        ({"payload": "no JSON"}, 409),
        ({"payload": '{"t": "' + "x" * 64 + '"}'}, 413),
        ({"payload": 2}, 400),
        ({"payload_base64": "?"}, 400),
        ({"body": "{}"}, 400),
    ],
)
def test_another_payload_is_checked_before_it_is_tried(
    tmp_path: Path, sent: dict[str, object], status: int
) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        (seq,) = await bury(store, LETTER)
        answer = await client.post(f"{API}/{seq}/replay", json=sent)
        assert answer.status_code == status, answer.text
        rows = await store.read_events(LANE, 0, 10)
        if status == 200:
            assert [row.body for row in rows] == [b'{"t": 2}' if sent else LETTER.body]
        else:
            assert rows == []
            assert (await client.get(API)).json()["total"] == 1

    play(tmp_path, act)


def test_letters_of_a_type_of_error_are_chosen(tmp_path: Path) -> None:
    async def act(store: DeliveryStore, client: httpx.AsyncClient) -> None:
        await bury(store, LETTER, replace(LETTER, error_type="DeadlinePassed"), LETTER)
        listed = (await client.get(API, params={"error": "DeadlinePassed"})).json()
        assert [letter["error_type"] for letter in listed["dead_letters"]] == ["DeadlinePassed"]
        dropped = await client.delete(API, params={"error": "ValueError"})
        assert dropped.json() == {"dropped": 2}

    play(tmp_path, act)
