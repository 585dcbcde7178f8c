"""Results are kept for a time."""

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.invocations.places import RECORD, opened
from tests.mqtt.clients import play, until
from triggers.invocations.expiry import AT_ONCE, forget_expired
from triggers.store.changes import SaveInvocation


def test_what_has_ended_is_forgotten_when_its_time_is_over_and_what_waits_is_not(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as store:
            old = [replace(RECORD, id=f"old{n}", state="done", expires=2000.0) for n in range(AT_ONCE + 1)]
            new = replace(RECORD, id="new", state="done", expires=2000.1)
            called = replace(RECORD, id="called", state="done", expires=2000.0, callback_state="waiting")
            for each in (*old, new, called, RECORD):
                await store.submit(SaveInvocation(each))
            before = store.commits
            forgetting = asyncio.create_task(forget_expired(store, lambda: 2000.0))
            await until(lambda: store.commits == before + 2, "two rounds are written")
            forgetting.cancel()
            await asyncio.gather(forgetting, return_exceptions=True)
            kept = [each.id for each in (*old, new, called, RECORD) if await store.invocation(each.id)]
            assert kept == ["new", "called", RECORD.id]

    play(scene())
