"""For each named crash point, what a host does on its way there."""

import asyncio
import json
from contextlib import suppress

import httpx

from tests.torture.callbacks import listening
from tests.torture.judge import NEVER
from tests.torture.scene import PATIENCE, Scenario, Scene
from tests.torture.stage import until
from tests.torture.subject import FILES, FUNCTION, TICKS

FEW = 5
# Enough to fill the window behind two events that hold both instances for this long (in seconds).
MANY, LONG = 1100, 1.5
# Enough, in bytes, that the log of the database is written back.
LARGE = 60_000


async def run_steadily(scene: Scene) -> None:
    """Events one by one, both brokers there."""
    await scene.start_armed()
    await scene.feed()


async def bury(scene: Scene) -> None:
    """Events that always raise."""
    await scene.start_armed()
    await scene.feed(NEVER)


async def retry(scene: Scene) -> None:
    """Events that raise once."""
    await scene.start_armed()
    await scene.feed("once")


async def run_without_target(scene: Scene) -> None:
    """Events one by one while their target is away."""
    await scene.start_armed()
    await scene.stop_target()
    await scene.feed()


async def write_much(scene: Scene) -> None:
    """Large results while their target is away."""
    await scene.start_armed()
    await scene.stop_target()
    await scene.feed(most=2 * MANY, pad=LARGE)


async def start_with_rows(scene: Scene) -> None:
    """Two starts in a row that fail, with results on disk."""
    await scene.start()
    await scene.stop_target()
    await scene.feed(most=FEW)
    await scene.die_at_start()
    await scene.die_at_start()


async def start_anew(scene: Scene) -> None:
    """A start without a database, and another after it has failed."""
    scene.stage.forget_delivery()
    await scene.publish()
    await scene.die_at_start()
    await scene.die_at_start()


async def fall_behind(scene: Scene) -> None:
    """More events at once than the window holds, behind two that take long."""
    await scene.start_armed()
    for number in range(MANY):
        slow = {"what": "slow", "seconds": LONG} if number < 2 else {"what": "echo"}
        await scene.begin(**slow)


async def deploy(scene: Scene) -> None:
    """A new revision under traffic."""
    await scene.start_armed()
    files = {**FILES, "index.py": f"{FILES['index.py']}\n# {scene.stage.ledger.counted}\n"}
    task = asyncio.create_task(asyncio.to_thread(_deploy, scene, files))
    await scene.feed(most=100 * MANY)
    await task


def _deploy(scene: Scene, files: dict[str, str]) -> None:
    # The host dies in the midst of its answer.
    with suppress(httpx.HTTPError):
        scene.stage.host.deploy(files, FUNCTION)


async def tick(scene: Scene) -> None:
    """A timer, which is due again after the crash."""
    await scene.start_armed()
    await scene.wait_for_death()
    ticks = len(scene.stage.ledger.results.get(TICKS, []))
    await scene.start()
    await until(
        lambda: len(scene.stage.ledger.results.get(TICKS, [])) > ticks, "the timer is answered", PATIENCE
    )
    await asyncio.to_thread(scene.stage.host.kill)


async def invoke(scene: Scene) -> None:
    """An event by HTTP that nobody waits for, with a callback."""
    await scene.start_armed()
    event_id = f"async-{len(scene.stage.ledger.events)}"
    async with listening() as calls:
        await asyncio.to_thread(_invoke, scene, event_id, calls.url)
        await scene.wait_for_death()
        await scene.start()
        await until(lambda: calls.heard(event_id), "the result is posted to the callback", PATIENCE)
    shown = await asyncio.to_thread(scene.stage.get, f"/api/invocations/{event_id}")
    if shown is None or shown["state"] != "done":
        raise TimeoutError(f"the invocation is not done: {shown}")
    await asyncio.to_thread(scene.stage.host.kill)


def _invoke(scene: Scene, event_id: str, callback: str) -> None:
    body = json.dumps(
        {"deviceInfo": {"deviceName": "d0"}, "number": TICKS + 1, "what": "echo", "seconds": 0, "pad": 0}
    )
    headers = {
        "content-type": "application/json",
        "x-invocation-type": "async",
        "x-request-id": event_id,
        "x-callback-url": callback,
    }
    with suppress(httpx.HTTPError):
        scene.stage.host.invoke(FUNCTION, body, headers=headers)


TIMER = {
    "timers": [
        {
            "name": "tick",
            "every": "500ms",
            "catch_up": True,
            "functions": [FUNCTION],
            "payload": {
                "deviceInfo": {"deviceName": "clock"},
                "number": TICKS,
                "what": "echo",
                "seconds": 0,
                "pad": 0,
            },
            "pub": {"name": "target", "clientId": "timer-out", "topic": "out/timer"},
        }
    ]
}

SCENARIOS = {
    "event.received": Scenario(run_steadily, passing=3),
    "event.dispatched": Scenario(run_steadily, passing=3),
    "event.answered": Scenario(run_steadily, passing=3),
    "event.failed": Scenario(bury, passing=2),
    "result.sent": Scenario(run_steadily, passing=3, repeats=1),
    "result.confirmed": Scenario(run_steadily, passing=3, repeats=1),
    "ack.before": Scenario(run_steadily, passing=3, repeats=1),
    "ack.after": Scenario(run_steadily, passing=3, repeats=1),
    "store.before-commit": Scenario(run_without_target, passing=2),
    "store.committed": Scenario(run_without_target),
    "store.opening": Scenario(start_with_rows),
    "store.migrating": Scenario(start_anew),
    "store.recovered": Scenario(start_with_rows),
    "store.checkpoint": Scenario(write_much, config={"limits": {"delivery": "60MiB"}}),
    "inbox.marked": Scenario(fall_behind, repeats=MANY),
    "letter.committed": Scenario(bury, passing=2),
    "retry.waiting": Scenario(retry, passing=2),
    "async.accepted": Scenario(invoke),
    "async.answered": Scenario(invoke),
    "timer.due": Scenario(tick, passing=2, config=TIMER),
    "deploy.switched": Scenario(deploy, repeats=1),
}
"""By the point's name."""
