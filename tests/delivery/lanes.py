"""Lanes to functions of the test's own, over a real store; and events for them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.events import Answer, Dispatch, Event, Timeline
from tests.delivery.clocked import advance
from tests.mqtt.clients import until
from triggers.delivery.lane import Lane, LaneParts, LanePlan, Reason
from triggers.delivery.retry import RetryPolicy
from triggers.delivery.work import Work
from triggers.store.failpoints import Failpoints
from triggers.store.rows import Source, digest_of
from triggers.store.store import DeliveryStore, StoreLimits

LANE = "mqtt/b1/in/echo"


@dataclass(frozen=True)
class Punctual(RetryPolicy):
    """Tries again after exactly `backoff` seconds."""

    def delay(self, attempts: int) -> float:
        return self.backoff


class Ledger:
    """What the lane said of each event."""

    def __init__(self) -> None:
        self.good: list[bytes] = []
        self.bad: list[tuple[bytes, int]] = []
        self.gone: list[tuple[bytes, Reason]] = []

    def answered(self, lane: Lane, work: Work, answer: Answer) -> None:
        self.good.append(work.event.body)
        lane.finish(work)

    def failed(self, lane: Lane, work: Work, error: BaseException) -> None:
        self.bad.append((work.event.body, work.attempts))
        lane.finish(work)

    def dropped(self, lane: Lane, work: Work, reason: Reason) -> None:
        self.gone.append((work.event.body, reason))
        lane.finish(work)


class Sender:
    """Whom an event comes from; knows whether it may be forgotten."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.done = False
        self.source = Source("b1/in", 1, digest_of("t", b""))

    def noted(self, row: int) -> None:
        self.rows.append(row)

    def watch(self, timeline: Timeline) -> None:
        """It hears of nothing that could be told."""

    def part_done(self) -> None:
        assert not self.done
        self.done = True


@asynccontextmanager
async def store_in(folder: Path, limits: StoreLimits | None = None) -> AsyncIterator[DeliveryStore]:
    store = DeliveryStore(folder / "delivery.db", limits or StoreLimits(min_free=0))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def lane_over(
    store: DeliveryStore, dispatch: Dispatch, ledger: Ledger, **plan: Any
) -> AsyncIterator[Lane]:
    """A lane that works what is there already."""
    lane = Lane(LanePlan(LANE, "echo", **plan), LaneParts(dispatch, ledger, store, Failpoints()))
    lane.begin()
    yield lane
    lane.close()


@asynccontextmanager
async def lane_in(
    folder: Path, dispatch: Dispatch, ledger: Ledger, limits: StoreLimits | None = None, **plan: Any
) -> AsyncIterator[tuple[DeliveryStore, Lane]]:
    """A lane over the store in `folder`."""
    async with store_in(folder, limits) as store, lane_over(store, dispatch, ledger, **plan) as lane:
        yield store, lane


def submit(lane: Lane, store: DeliveryStore, bodies: Sequence[bytes], **more: Any) -> list[Sender]:
    """Hand events over; returns their senders."""
    senders = [Sender() for _ in bodies]
    born = asyncio.get_running_loop().time()
    for body, sender in zip(bodies, senders, strict=True):
        lane.submit(Work(Event(body), store.next_seq(), sender, **{"born": born, **more}))
    return senders


async def rows_of(store: DeliveryStore, lane: str = LANE) -> list[tuple[bytes, int]]:
    """What stands on disk once all that was submitted is: body and attempts."""
    await store.submit()
    return [(row.body, row.attempts) for row in await store.read_events(lane, 0, 200_000)]


async def pass_time(seconds: float, until_: Any, what: str) -> None:
    """Put the clock forward, and wait for what must come of it."""
    advance(seconds)
    await until(until_, what)


async def on_disk(senders: Sequence[Sender]) -> None:
    """Wait until all these events stand on disk, or are dealt with."""
    await until(lambda: all(sender.done for sender in senders), "all stand on disk")
