"""A process that works on a store until it is killed; it imports little, since many of it are started."""

import asyncio
import os
import sys
from pathlib import Path

from tests.store.stores import PLENTY, event
from triggers.store.changes import AddEvents, DropEvents
from triggers.store.failpoints import Failpoints
from triggers.store.store import DeliveryStore


async def work(path: Path, units: int, durable: bool) -> None:
    """Add events, drop some, and print what was told of them."""
    store = DeliveryStore(path, PLENTY, Failpoints.of(os.environ))
    await store.open()
    for _ in range(units):
        seqs = [store.next_seq() for _ in range(3)]
        told = [store.submit(AddEvents((event(seq, b"x" * 2000),)), durable=durable) for seq in seqs]
        await asyncio.gather(*told)
        print("added", *seqs, flush=True)
        await store.submit(DropEvents(tuple(seqs[:1])), durable=durable)
        print("dropped", seqs[0], flush=True)
    await store.close()
    print("closed", flush=True)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), bool(int(sys.argv[3]))))
