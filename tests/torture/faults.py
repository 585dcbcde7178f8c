"""Which faults a run has, decided by its seed alone."""

import random
from dataclasses import dataclass

HOST, INSTANCE, CLOCK = "host.kill", "instance.kill", "clock.move"
DISK, QUOTA = "disk.full", "quota.full"
SIDES = ("source", "target")
WAYS = ("stop", "cut", "tear", "hold", "blackhole", "delay")
KINDS = (HOST, INSTANCE, CLOCK, DISK, QUOTA, *(f"{side}.{way}" for side in SIDES for way in WAYS))
# What a host forgets when it is killed depends most on what else is away just then.
_WEIGHED = (HOST, HOST, *KINDS)

# How long each lasts, in seconds; what is not here is over at once.
_LONGEST = {
    HOST: 0.5,
    DISK: 3.0,
    QUOTA: 8.0,
    "stop": 2.0,
    "tear": 1.0,
    "hold": 4.0,
    "blackhole": 4.0,
    "delay": 3.0,
}
DAY = 86400.0


@dataclass(slots=True)
class Fault:
    """One fault: it comes when `at` events were published, and lasts for `seconds` or a little longer.

    `size` is seconds for each piece that is delayed, or by which the clock is moved. `begin` and `end` are
    the loop's times, once it has been.
    """

    number: int
    kind: str
    at: int
    seconds: float
    size: float
    begin: float = 0.0
    end: float = 0.0


@dataclass(frozen=True)
class Wanted:
    """How many faults over how many events, from which seed; `without` are kinds that cannot be had."""

    faults: int
    events: int
    seed: int
    without: tuple[str, ...] = ()


def plan_faults(wanted: Wanted) -> list[Fault]:
    """The host's death three times as often as anything else, in random order, spread over all events."""
    rng = random.Random(wanted.seed)
    kinds: list[str] = []
    while len(kinds) < wanted.faults:
        kinds += rng.sample(_WEIGHED, len(_WEIGHED))
    # One that cannot be had leaves its place empty, so that the others stay what the seed says.
    apart = wanted.events / (wanted.faults + 1)
    faults = [
        Fault(number, kind, round((number + rng.random()) * apart), *_draw(rng, kind))
        for number, kind in enumerate(kinds[: wanted.faults], 1)
    ]
    return [fault for fault in faults if fault.kind not in wanted.without]


def _draw(rng: random.Random, kind: str) -> tuple[float, float]:
    longest = _LONGEST.get(kind, _LONGEST.get(kind.rpartition(".")[2], 0.0))
    seconds = rng.uniform(0, longest)
    if kind == CLOCK:
        return seconds, rng.choice((-1, 1)) * rng.uniform(0, DAY)
    return seconds, rng.uniform(0.01, 0.3)
