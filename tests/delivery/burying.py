"""Dead letters for tests, and a way to put them, and what waits, into the database of a host that is down."""

import asyncio
from dataclasses import replace
from pathlib import Path

from runtime.events import new_id
from triggers.store.changes import AddEvents, AddLetters
from triggers.store.rows import EventRow, Letter, Source
from triggers.store.store import DeliveryStore

LANE = "mqtt/b1/host-in/echo"
LETTER = Letter(
    seq=0,
    kind="event",
    lane=LANE,
    rule="telemetry",
    function="echo",
    event_id="11" * 16,
    head={"topic": "in/1", "qos": 1},
    body=b'{"t": 1}',
    attempts=3,
    error_type="ValueError",
    message="no",
    first=1000.0,
    # Far ahead: old letters are dropped.
    died=4e9,
    key="in/1",
    stack=("index.py, line 2",),
    source=Source("b1/host-in", 7, b"12345678"),
)


async def bury(store: DeliveryStore, *letters: Letter) -> list[int]:
    """Write them under numbers of their own, which are returned."""
    numbered = tuple(replace(each, seq=store.next_seq()) for each in letters)
    await store.submit(AddLetters(numbered))
    return [each.seq for each in numbered]


def leave_letters(state: Path, *letters: Letter) -> list[int]:
    """Have a host that starts with this state folder find dead letters; returns their numbers."""

    async def write() -> list[int]:
        store = await _opened(state)
        seqs = await bury(store, *letters)
        await store.close()
        return seqs

    state.mkdir(exist_ok=True)
    return asyncio.run(write())


def leave_events(state: Path, lane: str, bodies: list[bytes]) -> None:
    """Have a host that starts with this state folder find events that wait."""

    async def write() -> None:
        store = await _opened(state)
        rows = [EventRow(store.next_seq(), lane, new_id(), {}, body) for body in bodies]
        await store.submit(AddEvents(tuple(rows)))
        await store.close()

    state.mkdir(exist_ok=True)
    asyncio.run(write())


async def _opened(state: Path) -> DeliveryStore:
    store = DeliveryStore(state / "delivery.db")
    await store.open()
    return store
