"""Rows of every kind, and stores that are closed in the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from triggers.store.rows import EventRow, Invocation, Letter, ResultRow, Source
from triggers.store.store import DeliveryStore, StoreLimits

LANE = "mqtt/plant/host-in/industry"
TARGET = "plant/host-out"
SESSION = "plant/host-in"
PLENTY = StoreLimits(min_free=0)


def event(seq: int, body: bytes = b"{}", *, lane: str = LANE, source: Source | None = None) -> EventRow:
    head: dict[str, object] = {"topic": "plant/1", "qos": 1, "who": "Ünal 工厂", "deep": {"a": [1, None]}}
    return EventRow(seq, lane, f"event-{seq}", head, body, "plant/1", 2, 1234.5, source)


def result(seq: int, payload: bytes = b"1", *, total: int = 1, source: Source | None = None) -> ResultRow:
    return ResultRow(
        seq=seq,
        target=TARGET,
        event_id=f"event-{seq}",
        function="industry",
        topic="plant/out",
        payload=payload,
        qos=1,
        retain=True,
        properties=b"\x05\x00",
        created=1.5e9,
        timeout=10.0,
        total=total,
        source=source,
        rule="r",
        attempts=2,
    )


def letter(seq: int, body: bytes = b"{}", *, function: str = "industry", rule: str = "r") -> Letter:
    return Letter(
        seq=seq,
        kind="event",
        lane=LANE,
        rule=rule,
        function=function,
        event_id=f"event-{seq}",
        head={"topic": "plant/1"},
        body=body,
        attempts=3,
        error_type="ValueError",
        message="it is no number",
        first=1.5e9,
        died=1.5e9 + 7,
        key="plant/1",
        stack=("line 1", "line 2"),
        source=Source(SESSION, seq % 65536, b"digest"),
    )


def invocation(
    id_: str, state: str = "waiting", callback_state: str = "", expires: float = 9e9
) -> Invocation:
    return Invocation(
        id=id_,
        function="industry",
        state=state,
        created=1.5e9,
        expires=expires,
        attempts=1,
        result={"status": 200, "headers": {"a": "b"}},
        body=b"answer" if state == "done" else None,
        error={"title": "no"},
        callback="http://127.0.0.1:1/",
        callback_state=callback_state,
    )


def files(folder: Path, pattern: str = "*") -> list[Path]:
    """Files of a folder, by name."""
    return sorted(folder.glob(pattern))


@asynccontextmanager
async def opened(path: Path, limits: StoreLimits = PLENTY) -> AsyncIterator[DeliveryStore]:
    store = DeliveryStore(path, limits)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
