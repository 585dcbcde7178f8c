"""A delivery store of its own for each test of asynchronous invocations, and a record to put there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from triggers.invocations.records import WAITING
from triggers.store.rows import NEVER, Invocation
from triggers.store.store import DeliveryStore, StoreLimits

RECORD = Invocation("a1", "industry", WAITING, created=1000.0, expires=NEVER)

MIB = 1024 * 1024
DEFAULTS = StoreLimits()


@asynccontextmanager
async def opened(folder: Path, limits: StoreLimits = DEFAULTS) -> AsyncIterator[DeliveryStore]:
    """A store in `folder`, closed at the end."""
    store = DeliveryStore(folder / "delivery.db", limits)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
