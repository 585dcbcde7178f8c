"""Posting results to where callers asked for them."""

import asyncio
import socket as socket_module
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket
from typing import Any

import pytest

from runtime.dispatch.dispatcher import Dispatcher
from tests.cli.stub_host import Prepared, StubHost, StubServer
from tests.invocations.places import RECORD, opened
from tests.mqtt.clients import DEADLINE, play, until
from triggers.delivery.retry import RetryPolicy
from triggers.invocations.attempts import Attempts
from triggers.invocations.callbacks import Callbacks
from triggers.invocations.records import answer_of
from triggers.store.changes import SaveInvocation
from triggers.store.rows import Invocation
from triggers.store.store import DeliveryStore

RESULT: dict[str, object] = {"status": 200, "contentType": "text/plain", "headers": {}, "revision": "工业@1"}
HERE = frozenset({"127.0.0.1"})
POLICY = RetryPolicy(attempts=3, backoff=0.01)
DONE = replace(RECORD, state="done", result=RESULT, body=b"1", callback_state="waiting")


@pytest.fixture
def receiver() -> Iterator[StubHost]:
    """Who is called back."""
    with StubServer() as stub:
        yield stub


async def called(store: DeliveryStore, record: Invocation, listed: frozenset[str] = HERE) -> str:
    """What has become of the callback once nothing more is tried."""
    await store.submit(SaveInvocation(record))
    callbacks = Callbacks(store, Attempts(Dispatcher().dispatch, store), listed, POLICY)
    await callbacks.start()
    async with asyncio.timeout(DEADLINE):
        while (found := await store.invocation(record.id)) == record:  # noqa: ASYNC110 - on disk
            await asyncio.sleep(0.01)
    await callbacks.stop()
    assert found is not None and answer_of(found).body == record.body
    return found.callback_state


@pytest.mark.parametrize(
    ("answer", "state", "tries"),
    [
        (Prepared(b""), "done", 1),
        (Prepared(b"never ends", endless=True), "done", 1),
        (Prepared(b"", 503), "failed", 3),
        (Prepared(b"", 429), "failed", 3),
        (Prepared(b"", 302), "failed", 1),
        (Prepared(b"", 410), "failed", 1),
    ],
)
def test_what_may_pass_is_tried_again_and_what_was_refused_is_not(
    tmp_path: Path, receiver: StubHost, answer: Prepared, state: str, tries: int
) -> None:
    receiver.answers["POST /done"] = answer

    async def scene() -> None:
        async with opened(tmp_path) as store:
            assert await called(store, replace(DONE, callback=f"{receiver.url}/done")) == state

    play(scene())
    assert len(receiver.seen) == tries
    assert receiver.seen[0].headers["x-function-revision"] == "\\u5de5\\u4e1a@1"


def test_nobody_there_is_tried_as_often_and_given_up(tmp_path: Path) -> None:
    async def scene(port: int) -> None:
        async with opened(tmp_path) as store:
            nowhere = replace(DONE, callback=f"http://127.0.0.1:{port}/")
            assert await called(store, nowhere) == "failed"

    with socket() as taken:
        # Nobody listens there, and nobody else can.
        taken.bind(("127.0.0.1", 0))
        play(scene(taken.getsockname()[1]))


def test_a_name_that_leads_to_this_machine_is_refused_when_it_is_looked_up(
    tmp_path: Path, receiver: StubHost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look_up(monkeypatch, "127.0.0.1")

    async def scene() -> None:
        async with opened(tmp_path) as store:
            elsewhere = replace(DONE, callback=f"http://gateway.example:{receiver.port}/done?token=hush")
            assert await called(store, elsewhere) == "failed"

    asyncio.run(scene())
    assert receiver.seen == []
    (told,) = [each.getMessage() for each in caplog.records if each.name == "triggers.invocations.callbacks"]
    assert f'callback_hosts: ["gateway.example:{receiver.port}"]' in told
    assert "/api/invocations/a1/result" in told
    assert "hush" not in told


def test_a_result_goes_to_the_address_that_was_judged_and_the_name_is_not_looked_up_again(
    tmp_path: Path, receiver: StubHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answers["POST /done"] = Prepared(b"")
    asked = look_up(monkeypatch, "127.0.0.1")

    async def scene(place: str) -> None:
        async with opened(tmp_path) as store:
            record = replace(DONE, callback=f"http://{place}/done")
            assert await called(store, record, frozenset({place})) == "done"

    place = f"gateway.example:{receiver.port}"
    asyncio.run(scene(place))
    assert [seen.headers["host"] for seen in receiver.seen] == [place]
    assert asked == ["gateway.example"]


def test_an_address_that_takes_no_connection_gives_way_to_the_next(
    tmp_path: Path, receiver: StubHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.answers["POST /done"] = Prepared(b"")
    look_up(monkeypatch, "127.0.0.9", "127.0.0.1")

    async def scene() -> None:
        async with opened(tmp_path) as store:
            record = replace(DONE, callback=f"http://gateway.example:{receiver.port}/done")
            assert await called(store, record, frozenset({"gateway.example"})) == "done"

    asyncio.run(scene())
    assert len(receiver.seen) == 1


def test_a_url_that_cannot_be_posted_to_is_given_up_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            assert await called(store, replace(DONE, callback=f"http://{'x' * 64}.example/")) == "failed"
            assert await called(store, replace(DONE, callback="http://[::1/")) == "failed"

    play(scene())
    assert [each.getMessage().count("after 1 attempts") for each in caplog.records] == [1, 1]


def test_headers_of_the_function_do_not_stand_in_for_the_hosts_own(
    tmp_path: Path, receiver: StubHost
) -> None:
    receiver.answers["POST /done"] = Prepared(b"")
    names = (
        "Host",
        "X-Invocation-State",
        "X-Function-Status",
        "X-Function-Revision",
        "Te",
        "Upgrade",
        "X-Own",
    )
    result = {**RESULT, "headers": dict.fromkeys(names, "forged")}

    async def scene() -> None:
        async with opened(tmp_path) as store:
            record = replace(DONE, callback=f"{receiver.url}/done", result=result)
            assert await called(store, record) == "done"

    play(scene())
    headers = receiver.seen[0].headers
    assert [name for name, value in headers.items() if value == "forged"] == ["x-own"]
    assert (headers["host"], headers["x-function-status"]) == (f"127.0.0.1:{receiver.port}", "200")


def test_a_record_that_cannot_be_read_is_read_later_and_counts_no_attempt(
    tmp_path: Path, receiver: StubHost, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers["POST /done"] = Prepared(b"", 503)

    async def scene() -> None:
        store = StubbornStore(tmp_path / "delivery.db")
        await store.open()
        await store.submit(SaveInvocation(replace(DONE, callback=f"{receiver.url}/done")))
        callbacks = Callbacks(store, Attempts(Dispatcher().dispatch, store), HERE, POLICY)
        callbacks.begin(DONE.id)
        await until(lambda: "after 3 attempts" in caplog.text, "it is given up")
        await callbacks.stop()
        await store.close()

    play(scene())
    assert len(receiver.seen) == POLICY.attempts
    assert "the callback of a1 waits" in caplog.text


class StubbornStore(DeliveryStore):
    """One whose disk cannot be read every third time."""

    asked = 0

    async def invocation(self, id: str) -> Invocation | None:  # noqa: A002 - as in the store
        self.asked += 1
        if self.asked % 3 == 1:
            raise sqlite3.OperationalError("disk I/O error")
        return await super().invocation(id)


def look_up(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Have names found at these addresses, by asyncio's own loop; returns the names as they are asked for."""
    asked: list[str] = []
    found_otherwise = socket_module.getaddrinfo

    def find(host: str, port: int, *more: int, **options: int) -> Any:
        if not host.endswith(".example"):
            return found_otherwise(host, port, *more, **options)
        asked.append(host)
        return [(AF_INET, SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    monkeypatch.setattr(socket_module, "getaddrinfo", find)
    return asked
