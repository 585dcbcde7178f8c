"""The events of a run, in uneven flow: mostly quick and small, some slow, some large, some that fail."""

import asyncio
import random
from dataclasses import dataclass

from tests.torture.judge import NEVER
from tests.torture.ledger import Event
from tests.torture.publisher import Publisher
from tests.torture.subject import RULES

DEVICES = 8
TICK = 0.02
# The flow changes each second: to this many times the rate.
PACES = (0.5, 1.0, 1.0, 1.0, 1.5, 4.0)
SLOW, ONCE, DEAD, LARGE = 0.005, 0.003, 0.001, 0.02
# Seconds, and bytes.
LONGEST, LARGEST = 0.3, 40_000


@dataclass(frozen=True)
class Flow:
    """How many events, at how many a second in the middle, from which seed."""

    events: int
    rate: float
    seed: int


async def run_traffic(flow: Flow, publisher: Publisher) -> None:
    """Publish all; slower than asked where the broker is away."""
    rng = random.Random(flow.seed)
    loop = asyncio.get_running_loop()
    due = 0.0
    at, second, pace = loop.time(), 0.0, 1.0
    for number in range(flow.events):
        while due < 1.0:
            await asyncio.sleep(TICK)
            now = loop.time()
            # What could not be published while the broker was away does not come as one flood.
            due += min(now - at, 10 * TICK) * flow.rate * pace
            at = now
            if now - second > 1:
                second, pace = now, rng.choice(PACES)
        due -= 1.0
        await publisher.publish(_draw_event(rng, number))


def _draw_event(rng: random.Random, number: int) -> Event:
    rule, device = rng.choice(RULES), f"d{rng.randrange(DEVICES)}"
    kind = rng.random()
    if kind < SLOW:
        return Event(number, rule, device, "slow", round(rng.uniform(0, LONGEST), 3))
    if kind < SLOW + ONCE:
        return Event(number, rule, device, "once")
    if kind < SLOW + ONCE + DEAD:
        return Event(number, rule, device, NEVER)
    large = kind > 1 - LARGE
    return Event(number, rule, device, pad=rng.randrange(LARGEST) if large else 0)
