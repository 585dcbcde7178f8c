"""What is wrong with the host just now, worst first, and on which page it is mended."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import quote

from host.console.ground import Ground
from host.console.live.rates import LastMinute
from host.health import Check
from host.observing.slices import Slices
from host.remedies import remedy_of
from triggers.mqtt.states import ConnectionState

Level = Literal["bad", "warn"]
# fmt: off
Kind = Literal[
    "host", "function", "delivery", "bridge", "check",
    "failed", "missing", "broker", "outbox", "low_memory", "memory", "dead_letters", "disk",
    "failing", "refused",
]
# fmt: on
KEPT_FOR = 2.0
"""Seconds for which what was found is told again."""
WATCHED = 10.0
"""Seconds after which nobody can say since when something new is wrong."""
MOST_TOLD = 40
LONGEST_DETAIL = 500
NEAR_FULL = 0.7
"""The share of the disk quota from which on it is said; from 80 % on, nothing is taken in."""
HELD = 30.0
"""Seconds that a result waits for its broker before it is said."""
CHECKS: tuple[Kind, ...] = ("host", "function", "delivery", "bridge")
"""Kinds of checks that have words of their own."""
FAILING, FAILED_LEAST, MOSTLY = 0.05, 5, 0.5
"""From which share of a function's events of the last minute on it is said, and of how many; what is bad."""


@dataclass(frozen=True)
class Problem:
    """One thing: `kind` has its words, `name` what it is about, `href` is where it is mended.

    `detail` and `remedy` are the host's own words; `since` is in seconds since the epoch, None where nobody
    looked when it began.
    """

    kind: Kind
    level: Level
    href: str
    name: str = ""
    count: int = 0
    share: int = 0
    detail: str = ""
    remedy: str = ""
    since: float | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What stays the same while it lasts."""
        return self.kind, self.name


class Problems:
    """Finds them when it is asked, in slices; `clock` gives seconds since the epoch."""

    def __init__(self, ground: Ground, clock: Callable[[], float] = time.time) -> None:
        self._ground = ground
        self._clock = clock
        self._minute = LastMinute(ground.observing.history, ground.observing.axis)
        self._lock = asyncio.Lock()
        self._since: dict[tuple[str, str], float | None] = {}
        self._looked = float("-inf")
        self.found: list[Problem] = []
        """All that was wrong at the last look, worst first."""

    async def find(self) -> list[Problem]:
        """All that is wrong, from a look that is two seconds old at most."""
        async with self._lock:
            if abs(self._clock() - self._looked) > KEPT_FOR:
                found = [*self._find_at_once(), *await self._find_in_minute()]
                found.sort(key=lambda each: (each.level != "bad", each.kind, each.name))
                self.found = self._date(found)
        return self.found

    def _date(self, found: list[Problem]) -> list[Problem]:
        now = self._clock()
        new = now if now - self._looked < WATCHED else None
        self._looked = now
        self._since = {each.key: self._since.get(each.key, new) for each in found}
        return [replace(each, since=each.since or self._since[each.key]) for each in found]

    def _find_at_once(self) -> Iterator[Problem]:
        yield from filter(None, map(_failed_check, self._ground.watched.health.checks()))
        yield from self._find_out_of_service()
        yield from self._find_brokers()
        yield from self._find_memory()
        yield from self._find_kept()

    def _find_out_of_service(self) -> Iterator[Problem]:
        catalog, why = self._ground.watched.catalog, self._ground.why
        for name, deployed in catalog.functions.items():
            if deployed.live is None:
                newest = max(deployed.revisions.values(), key=lambda each: each.number, default=None)
                detail = why(name) or (newest.error if newest else None)
                yield Problem("failed", "bad", f"{_page_of(name)}?tab=revisions", name, detail=_cut(detail))
        for name in self._ground.reloader.functions:
            if name not in catalog.functions:
                yield Problem("missing", "bad", "/console/functions", name, detail=_cut(why(name)))

    def _find_brokers(self) -> Iterator[Problem]:
        away, held = Counter[str](), Counter[str]()
        first: dict[str, ConnectionState] = {}
        for each in self._ground.watched.mqtt.state():
            if not each.connected:
                away[each.broker] += 1
                if each.since < first.setdefault(each.broker, each).since:
                    first[each.broker] = each
            if each.rule is None and each.oldest > HELD:
                held[each.broker] += each.waiting
        for broker, count in away.items():
            detail, since = _cut(first[broker].last_error), first[broker].since
            yield Problem("broker", "bad", "/console/mqtt", broker, count, detail=detail, since=since)
        for broker, count in held.items():
            yield Problem("outbox", "warn", "/console/mqtt", broker, count)

    def _find_memory(self) -> Iterator[Problem]:
        scaler = self._ground.watched.scaling.scaler
        share = round(100 * scaler.memory.used / scaler.memory.budget) if scaler.memory.budget else 0
        if scaler.memory.low:
            yield Problem("low_memory", "bad", "/console/functions")
        for name in scaler.held[:MOST_TOLD]:
            yield Problem("memory", "warn", f"{_page_of(name)}?tab=why", name, share=share)

    def _find_kept(self) -> Iterator[Problem]:
        watched = self._ground.watched
        store, quota = watched.store, watched.delivery.quota
        if store.letter_count:
            yield Problem("dead_letters", "warn", "/console/dead-letters", count=store.letter_count)
        if store.takes_in and store.used > NEAR_FULL * quota:
            yield Problem("disk", "warn", "/console/settings", share=round(100 * store.used / quota))

    async def _find_in_minute(self) -> list[Problem]:
        slices, found = Slices(), []
        for name, counts in self._minute.counts():
            share, failed = counts.failing, counts.failed
            if failed >= FAILED_LEAST and share >= FAILING:
                level: Level = "bad" if share >= MOSTLY else "warn"
                href = f"/console/invocations?function={quote(name, safe='')}&result=failed"
                found.append(Problem("failing", level, href, name, failed, round(100 * share)))
            if counts.refused:
                found.append(
                    Problem("refused", "warn", f"{_page_of(name)}?tab=metrics", name, counts.refused)
                )
            await slices.pause()
        return found


def _failed_check(check: Check) -> Problem | None:
    first, _, name = check.name.partition(" ")
    # Of brokers there may be many connections: they are told by broker.
    if check.ok or (first == "mqtt" and name):
        return None
    kind: Kind = next((each for each in CHECKS if each == first), "check")
    href = f"{_page_of(name)}?tab=logs" if kind == "function" else "/console/settings"
    about = check.name if kind == "check" else name
    return Problem(kind, "bad", href, about, detail=_cut(check.detail), remedy=remedy_of(check))


def _page_of(name: str) -> str:
    return f"/console/functions/{quote(name, safe='')}"


def _cut(text: str | None) -> str:
    return (text or "")[:LONGEST_DETAIL]
