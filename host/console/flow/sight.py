"""One look at all that events pass on their way: rules, timers, bridges, functions, connections, the disk."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from host.console.ground import Ground
from host.deployment.deployed import Deployed
from host.observing.metrics.tallies import FunctionTally
from runtime.pool import COLD, PoolView
from triggers.bridge.plan import BridgePlan
from triggers.delivery.lane_plan import LaneView
from triggers.mqtt.plan import BrokerPlan
from triggers.mqtt.states import ConnectionState, RuleView
from triggers.timers.trigger import TimerView

if TYPE_CHECKING:
    # Only who has bridges pays for the libraries that ask their sources.
    from triggers.bridge.bridge import BridgeState

MOST = 300
"""Rules, timers, bridges and functions, of each: a picture of more is none."""
LIMITED = ("rate_limited", "too_many_at_once")
"""Words of the tallies for events that were more than their caller or their function may have."""
NO_TALLY = FunctionTally()


@dataclass(frozen=True)
class FunctionSight:
    """One function; `why` says what keeps it from service.

    `http`, `limited`, `ended` and those of them that `failed` count events so far.
    """

    deployed: bool
    why: str = ""
    view: PoolView = COLD
    most: int = 0
    http: int = 0
    limited: int = 0
    ended: int = 0
    failed: int = 0

    @property
    def running(self) -> int:
        """Instances that take events."""
        return sum(each.state in ("idle", "busy") for each in self.view.instances)


@dataclass(frozen=True)
class Sight:
    """All of it at the time `at`, in seconds since the epoch.

    `asynchronous` are the lanes of asynchronous events, `posted` counts callbacks that were taken, by
    function. `letters` are dead letters that came in the last hour. `refusal` says why the disk takes no
    events, and is empty while it does. `left_out` counts what is not looked at, since it is too much.
    """

    at: float
    brokers: tuple[BrokerPlan, ...] = ()
    rules: tuple[RuleView, ...] = ()
    connections: tuple[ConnectionState, ...] = ()
    timers: tuple[TimerView, ...] = ()
    bridges: "tuple[tuple[BridgePlan, BridgeState], ...]" = ()
    asynchronous: tuple[LaneView, ...] = ()
    posted: Mapping[str, int] = field(default_factory=dict)
    functions: Mapping[str, FunctionSight] = field(default_factory=dict)
    letters: int = 0
    refusal: str = ""
    left_out: int = 0

    @property
    def asynchronous_by_function(self) -> Counter[str]:
        """Asynchronous events that were handed to each function, of whatever revision."""
        sent: Counter[str] = Counter()
        for lane in self.asynchronous:
            sent[lane.function.partition("@")[0]] += lane.passed.sent
        return sent


class Looker:
    """Looks; `letters` tells how many dead letters came in the last hour."""

    def __init__(
        self, ground: Ground, letters: Callable[[], int], clock: Callable[[], float] = time.time
    ) -> None:
        self._watched, self._tallies, self._why = ground.watched, ground.observing.tallies, ground.why
        self._letters = letters
        self._clock = clock

    def look(self) -> Sight:
        """All there is now."""
        watched = self._watched
        rules, timers = watched.mqtt.views(), watched.timers.views()
        bridges = list(zip(watched.bridges.plans(), watched.bridges.state(), strict=True))
        later = tuple(view for _, _, view in watched.invocations.lanes())[:MOST]
        lanes = (*(each.lanes for each in rules[:MOST]), *(each.lanes for each in timers[:MOST]))
        bound = [lane.function for lane in chain.from_iterable(lanes)]
        names = self._names([*bound, *(each.function.partition("@")[0] for each in later if each.events)])
        return Sight(
            at=self._clock(),
            brokers=tuple(each.plan for each in watched.mqtt.brokers.values()),
            rules=tuple(rules[:MOST]),
            connections=tuple(watched.mqtt.state()),
            timers=tuple(timers[:MOST]),
            bridges=tuple(bridges[:MOST]),
            asynchronous=later,
            posted=watched.invocations.posted,
            functions={name: self._function(name) for name in names[:MOST]},
            letters=self._letters(),
            refusal=watched.store.why_not,
            left_out=sum(max(0, len(each) - MOST) for each in (rules, timers, bridges, names)),
        )

    def _names(self, bound: list[str]) -> list[str]:
        """Functions that something is bound to, or that were called."""
        deployed = self._watched.catalog.functions
        called = (name for name, tally in self._tallies.functions().items() if tally.runs or tally.earlier)
        return list(dict.fromkeys((*bound, *filter(deployed.__contains__, called))))

    def _function(self, name: str) -> FunctionSight:
        deployed = self._watched.catalog.functions.get(name)
        why = self._why(name) or ""
        if deployed is None:
            return FunctionSight(False, why)
        tally = self._tallies.functions().get(name, NO_TALLY)
        totals = tally.totals()
        http = sum(count for (trigger, _), count in totals.items() if trigger == "http")
        ended, good = sum(totals.values()), sum(count for (_, end), count in totals.items() if end == "ok")
        limited = sum(count for (_, reason), count in tally.refused.items() if reason in LIMITED)
        view, most = _pool_of(deployed)
        if deployed.live is None:
            newest = max(deployed.revisions.values(), key=lambda each: each.number, default=None)
            why = why or (newest.error if newest and newest.error else "")
            return FunctionSight(False, why, http=http, ended=ended, failed=ended - good)
        return FunctionSight(True, view.last_error or "", view, most, http, limited, ended, ended - good)


def _pool_of(deployed: Deployed) -> tuple[PoolView, int]:
    pool = deployed.live_pool
    if pool is None:
        return COLD, 0
    return pool.view(), pool.spec.scale.max if pool.fixed is None else pool.fixed
