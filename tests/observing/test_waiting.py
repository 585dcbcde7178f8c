"""How long the oldest thing has been waiting is known, in memory and after a restart."""

import asyncio
import time
from pathlib import Path

from runtime.events import Answer, Event
from tests.delivery.clocked import advance, play_clocked
from tests.delivery.lanes import Ledger, lane_in, submit
from tests.mqtt.sending import TARGET, Target, target_in
from triggers.store.store import Span


def test_a_lane_tells_how_much_waits_and_since_when(tmp_path: Path) -> None:
    def never(name: str, event: Event) -> "asyncio.Future[Answer]":
        return asyncio.get_running_loop().create_future()

    async def scene() -> None:
        async with lane_in(tmp_path, never, Ledger()) as (store, lane):
            assert (lane.view().events, lane.view().stored, lane.view().oldest) == (0, 0, 0.0)
            submit(lane, store, [b"1"])
            advance(90.0)
            submit(lane, store, [b"2"])
            view = lane.view()
            assert (view.events, view.stored) == (2, 0)
            assert 90.0 <= view.oldest < 120.0

    play_clocked(scene())


def test_a_publisher_tells_since_when_the_first_of_its_results_waits(tmp_path: Path) -> None:
    def waited(target: Target, wall: float = 0.0) -> float:
        return target.publisher.waited(asyncio.get_running_loop().time(), wall or time.time())

    async def scene() -> None:
        async with target_in(tmp_path) as target:
            assert waited(target) == 0.0
            target.send([b"1"])
            advance(60.0)
            await target.kept([b"1"])
            assert 60.0 <= waited(target) < 90.0
        async with target_in(tmp_path) as target:
            found = target.store.targets[TARGET]
            assert (found.count, target.publisher.stored) == (1, 1)
            assert isinstance(found, Span) and abs(time.time() - found.since) < 60.0
            # It was written down by the wall clock, and is not in memory as long as there is no broker.
            assert round(waited(target, found.since + 600.0)) == 600

    play_clocked(scene())
