"""Posting results to where callers asked for them."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from socket import socket

import pytest

from runtime.dispatcher import Dispatcher
from tests.cli.stub_host import Prepared, StubHost, StubServer
from tests.invocations.places import RECORD, opened
from tests.mqtt.clients import DEADLINE, play
from triggers.delivery.changes import SaveInvocation
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.rows import Invocation
from triggers.delivery.store import DeliveryStore
from triggers.invocations.attempts import Attempts
from triggers.invocations.callbacks import Callbacks
from triggers.invocations.records import answer_of

RESULT: dict[str, object] = {"status": 200, "contentType": "text/plain", "headers": {}, "revision": "工业@1"}
POLICY = RetryPolicy(attempts=3, backoff=0.01)
DONE = replace(RECORD, state="done", result=RESULT, body=b"1", callback_state="waiting")


@pytest.fixture
def receiver() -> Iterator[StubHost]:
    """Who is called back."""
    with StubServer() as stub:
        yield stub


async def called(store: DeliveryStore, record: Invocation) -> str:
    """What has become of the callback once nothing more is tried."""
    await store.submit(SaveInvocation(record))
    callbacks = Callbacks(store, Attempts(Dispatcher().dispatch, store), POLICY)
    await callbacks.start()
    async with asyncio.timeout(DEADLINE):
        while (found := await store.invocation(record.id)) == record:  # noqa: ASYNC110 - on disk
            await asyncio.sleep(0.01)
    await callbacks.stop()
    assert found is not None and answer_of(found).body == b"1"
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
