"""One look each second at all that is at work; what sleeps is passed by."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from operator import add
from zlib import crc32

from host.observing.history.columns import LAYOUTS, STATES
from host.observing.history.counting import (
    REFUSED,
    WIDTH,
    Counted,
    Totals,
    add_totals,
    as_buckets,
    as_columns,
    mark_of,
)
from host.observing.history.history import History
from host.observing.history.instances import Glance, Instances, place_of
from host.observing.history.processes import Processes
from host.observing.history.series import Key, Seen
from host.observing.metrics.tallies import Tallies
from host.observing.slices import Slices
from runtime.pool import Load, Pool
from runtime.scaling.memory import Figure

HOST = Key("host")
RETIRING = STATES.index("retiring")
LEVELS = 3 + len(STATES)
IDLE_EVERY = 10
"""Seconds between two looks at a function that has processes and nothing to do."""


@dataclass(frozen=True)
class Waiting:
    """What is on its way through the host or came to rest: events from brokers that have no answer yet,
    results that no broker has confirmed yet, and events kept after they had failed for good.
    """

    inbox: int = 0
    outbox: int = 0
    dead_letters: int = 0


@dataclass(frozen=True)
class Sources:
    """What is looked at: all `pools`, those that drain, too; `figure` is what one's memory was read to be.

    `deployed` are the functions there are, each with its revisions.
    """

    tallies: Tallies
    deployed: Callable[[], Mapping[str, Collection[int]]]
    pools: Callable[[], Iterable[Pool]]
    figure: Callable[[Pool], Figure | None]
    waiting: Callable[[], Waiting]


@dataclass(slots=True)
class Now:
    """What the functions have just now, added up: `levels` as the rows have them."""

    levels: list[int] = field(default_factory=lambda: [0] * LEVELS)
    memory: int = 0

    def note(self, glance: Glance) -> None:
        """A pool's."""
        view, levels = glance.view, self.levels
        levels[0] += view.queued
        levels[1] += view.in_flight
        for each in view.instances:
            place = place_of(each)
            levels[2] += place != RETIRING
            levels[3 + place] += 1
        if glance.figure is not None:
            self.memory += glance.figure.pss

    def add(self, other: "Now") -> None:
        """These, too."""
        self.levels = list(map(add, self.levels, other.levels))
        self.memory += other.memory


@dataclass(slots=True)
class Known:
    """A function that was at work: its `counted` events, and what was seen last of it, with its load."""

    key: Key
    counted: Counted
    seen: Seen
    cpu: float = 0.0
    load: list[Load] = field(default_factory=list)
    there: Now = field(default_factory=Now)
    still: int = 0
    rests: int = 0

    def is_due(self, now: int) -> bool:
        """Whether it is its turn where it is idle: by their names these are spread over the seconds."""
        before, self.rests = self.rests, (now + crc32(self.key.function.encode())) // IDLE_EVERY
        return self.rests != before

    def is_idle(self, pools: list[Pool]) -> bool:
        """Whether for some looks nothing has come, nothing runs, and instances neither came nor went."""
        before, self.load = self.load, [pool.load for pool in pools]
        came = mark_of(self.counted.tally) != self.counted.mark or self.load != before
        busy = came or any(waiting or running for waiting, running, _ in before)
        self.still = 0 if busy else self.still + 1
        # What has a process goes on for a while, until its memory and processor time have been read.
        return self.still > (IDLE_EVERY if pools else 0)


class Look:
    """Looks, and keeps what it saw in the history."""

    def __init__(self, history: History, sources: Sources, processes: Processes) -> None:
        self._history = history
        self._sources = sources
        self._processes = processes
        self._instances = Instances(history, processes)
        self._known: dict[str, Known] = {}
        self._host = Host(history, processes)

    async def look(self, now: int, slices: Slices) -> None:
        """See what the second before `now` has brought."""
        awake = self._awake()
        self._processes.want(lambda: _owners(awake))
        self._processes.advance()
        self._follow_tallies(awake)
        there = Now()
        for name, known in list(self._known.items()):
            pools = awake.get(name, [])
            if not known.is_idle(pools) or (pools and known.is_due(now)):
                self._look_at(known, pools, now)
            elif not pools:
                self._let_be(name, known)
            there.add(known.there)
            await slices.pause()
        self._instances.forget_gone(now)
        self._host.see(now, there, self._sources.waiting(), self._unknown())
        await self._history.pass_by(now, slices)
        slices.end()

    def forget_old(self, now: int) -> None:
        """Give up what is not there any more, and has been still for long: to be called now and then."""
        self._sources.tallies.retain(self._sources.deployed())
        self._history.forget_old(now)

    def _awake(self) -> dict[str, list[Pool]]:
        """The pools that have processes, by their functions."""
        awake: defaultdict[str, list[Pool]] = defaultdict(list)
        for pool in self._sources.pools():
            if not pool.is_asleep:
                awake[pool.spec.function].append(pool)
        return awake

    def _look_at(self, known: Known, pools: list[Pool], now: int) -> None:
        glances = [Glance(pool, pool.view(), self._sources.figure(pool)) for pool in pools]
        self._host.totals = add_totals(self._host.totals, known.counted.look())
        known.there = self._see(known, glances, now)
        self._instances.see(glances, now)

    def _let_be(self, name: str, known: Known) -> None:
        known.there = Now()
        if name not in self._sources.tallies.functions() and not self._history.is_open(known.key):
            del self._known[name]
            self._processes.forget(name)

    def _follow_tallies(self, awake: Mapping[str, list[Pool]]) -> None:
        tallies = self._sources.tallies
        for name in awake:
            if name not in self._known and tallies.is_deployed(name):
                tallies.function(name)
        for name, tally in tallies.functions().items():
            known = self._known.get(name)
            if known is None:
                seen = Seen([0] * len(LAYOUTS["function"].columns), as_buckets([0] * WIDTH))
                self._known[name] = Known(Key("function", name), Counted(tally), seen)
            elif known.counted.tally is not tally:
                known.counted.use(tally)

    def _see(self, known: Known, glances: list[Glance], now: int) -> Now:
        there = Now()
        for each in glances:
            there.note(each)
        totals, before = known.counted.totals, known.seen
        known.cpu = self._processes.follow(known.cpu, self._processes.by_name[known.key.function].cpu_seconds)
        values = [*as_columns(totals), *there.levels, there.memory, known.cpu]
        known.seen = Seen(values, as_buckets(totals))
        self._history.take(known.key, now, known.seen, before)
        return there

    def _unknown(self) -> int:
        """Events refused because nobody has deployed what they are for."""
        return sum(self._sources.tallies.unknown.values())


def _owners(awake: Mapping[str, list[Pool]]) -> dict[int, list[str]]:
    """All processes, each with the functions that share it."""
    owners: defaultdict[int, list[str]] = defaultdict(list)
    for name, pools in awake.items():
        for pid in dict.fromkeys(pid for pool in pools for pid in pool.pids()):
            owners[pid].append(name)
    return owners


class Host:
    """The host's own row; `totals` are those of all functions."""

    def __init__(self, history: History, processes: Processes) -> None:
        self.totals: Totals = [0] * WIDTH
        self._history = history
        self._processes = processes
        self._seen = Seen([0] * len(LAYOUTS["host"].columns), as_buckets(self.totals))
        self._used = [0.0] * 4

    def see(self, now: int, there: Now, waiting: Waiting, unknown: int) -> None:
        """One look; `unknown` events in all were refused for want of such a function."""
        usage, follow = self._processes.usage, self._processes.follow
        everyone, own = usage.everyone, usage.own
        used = (everyone.cpu_seconds, own.cpu_seconds, everyone.disk_read, everyone.disk_written)
        self._used = [follow(shown, total) for shown, total in zip(self._used, used, strict=True)]
        cpu, own_cpu, *disk = self._used
        events = as_columns(self.totals)
        events[REFUSED] += unknown
        memory = [there.memory + usage.memory, cpu, usage.memory, own_cpu]
        traffic = [*map(int, disk), usage.received, usage.sent, usage.processes, usage.descriptors]
        kept = [waiting.inbox, waiting.outbox, waiting.dead_letters]
        before, self._seen = (
            self._seen,
            Seen([*events, *there.levels, *memory, *traffic, *kept], as_buckets(self.totals)),
        )
        self._history.take(HOST, now, self._seen, before)
