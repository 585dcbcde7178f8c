"""Calling invocations off while the disk takes nothing."""

import asyncio
import sqlite3
from pathlib import Path

import httpx
from starlette.applications import Starlette

from host.web.invocations import InvocationsApi
from runtime.dispatch.dispatcher import Dispatcher
from tests.access.doors import as_local
from tests.invocations.places import RECORD
from tests.mqtt.clients import play
from triggers.invocations.attempts import Attempts
from triggers.invocations.ledger import Ledger, LedgerParts
from triggers.store.changes import SaveInvocation
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore

PLACE = f"http://host/api/invocations/{RECORD.id}"


async def asked_to_cancel(store: DeliveryStore) -> httpx.Response:
    finished: list[str] = []
    parts = LedgerParts(
        store, Failpoints(), Attempts(Dispatcher().dispatch, store), finished.append, 60.0, lambda: 5000.0
    )
    api = as_local(Starlette(routes=InvocationsApi(Ledger(parts), patience=0.05).routes()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api)) as client:
        return await client.delete(PLACE)


def test_who_cancels_while_the_disk_refuses_is_told_so_and_it_is_done_later(tmp_path: Path) -> None:
    async def scene() -> None:
        store = DeliveryStore(tmp_path / "delivery.db")
        await store.open()
        await store.submit(SaveInvocation(RECORD))
        # Whoever else writes keeps the store's writer waiting.
        blocker = sqlite3.connect(tmp_path / "delivery.db")
        blocker.execute("BEGIN IMMEDIATE")
        answer = await asked_to_cancel(store)
        blocker.rollback()
        blocker.close()
        assert (answer.status_code, "may do so yet; ask again" in answer.text) == (503, True)
        async with asyncio.timeout(20):
            while (await store.invocation(RECORD.id)) == RECORD:  # noqa: ASYNC110 - on disk
                await asyncio.sleep(0.01)
        await store.close()

    play(scene())
