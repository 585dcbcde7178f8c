"""A real delivery store in a folder of the test's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from triggers.store.store import DeliveryStore


@asynccontextmanager
async def opened(folder: Path | None = None) -> AsyncIterator[DeliveryStore]:
    """An open store in `folder`, which keeps it, or in one that is gone afterwards."""
    with TemporaryDirectory() as temporary:
        store = DeliveryStore((folder or Path(temporary)) / "delivery.db")
        await store.open()
        try:
            yield store
        finally:
            await store.close()
