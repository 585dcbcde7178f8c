"""What each instance did, as long as it lives."""

from dataclasses import dataclass

from host.observing.history.columns import LAYOUTS, STATES
from host.observing.history.history import History
from host.observing.history.processes import Processes
from host.observing.history.series import Key, Seen
from runtime.pool import InstanceView, Pool, PoolView
from runtime.scaling.memory import Figure

CPU = LAYOUTS["instance"].names.index("cpu_seconds")
LONGEST_UNSEEN = 30
"""Seconds."""
NOTHING = Seen([0] * len(LAYOUTS["instance"].columns))


@dataclass(frozen=True, slots=True)
class Glance:
    """A pool as it is now, and its memory as it was read last."""

    pool: Pool
    view: PoolView
    figure: Figure | None


@dataclass(slots=True)
class Living:
    """An instance: when it was first seen, when last, and as what."""

    born: int
    latest: int
    seen: Seen = NOTHING


class Instances:
    """Sees the instances of pools; times are seconds of the history's axis."""

    def __init__(self, history: History, processes: Processes) -> None:
        self._history = history
        self._processes = processes
        self._living: dict[Key, Living] = {}

    def see(self, glances: list[Glance], now: int) -> None:
        """One look at those of a function."""
        for glance in glances:
            for each in glance.view.instances:
                # What has no number has not been forked yet.
                if each.pid:
                    self._see_one(glance, each, now)

    def _see_one(self, glance: Glance, view: InstanceView, now: int) -> None:
        spec = glance.pool.spec
        key = Key("instance", spec.function, f"{spec.revision}.{view.slot}.{view.pid}")
        living = self._living.get(key)
        if living is None:
            living = self._living[key] = Living(now, now)
        memory = glance.figure.sizes.get(view.pid, 0) if glance.figure is not None else 0
        cpu = self._processes.follow(living.seen.values[CPU], self._processes.cpu_of(view.pid))
        before, living.latest = living.seen, now
        living.seen = Seen((view.answered, place_of(view), memory, cpu, now - living.born))
        self._history.take(key, now, living.seen, before)

    def forget_gone(self, now: int) -> None:
        """Whoever was not seen for so long has ended: idle ones are not looked at each time."""
        gone = [key for key, living in self._living.items() if living.latest < now - LONGEST_UNSEEN]
        for key in gone:
            del self._living[key]


def place_of(view: InstanceView) -> int:
    """The position of an instance's state among those there are."""
    return STATES.index(view.state) if view.state in STATES else STATES.index("retiring")
