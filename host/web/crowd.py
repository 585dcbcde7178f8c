"""All connections of the web port: no more than may be, none that is only held open, nobody with too many."""

import asyncio
import heapq
import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

from conf.address import Address, network_of
from host.web.bounds import Bounds

logger = logging.getLogger(__name__)

AT_A_TIME = 256
"""Connections looked at in one turn of the event loop, and idle ones found in one search."""
TELL_EVERY = 60.0


class Member(Protocol):
    """One connection."""

    idle_since: float
    peer: str

    def is_idle(self) -> bool:
        """Whether it is the caller's turn, and nothing of a request is here."""

    def is_in_head(self) -> bool:
        """Whether a part of a request's head is here that is not all of it."""

    def look(self, now: float) -> None:
        """Close it if its caller takes too long; `now` is the event loop's time."""

    def hang_up(self) -> None:
        """Close it at once, whatever is on its way."""


class Crowd:
    """Counts connections by where they come from; `clock` is the event loop's."""

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self.bounds = bounds
        self.members: set[Member] = set()
        self.closed: Counter[str] = Counter()
        self._clock = clock
        self._peers: Counter[str] = Counter()
        self._longest_idle: deque[Member] = deque()
        self._told_at = clock()

    def enter(self, member: Member) -> None:
        """A caller has connected: who was idle longest makes room for it, or else it has to go.

        Where nobody is idle, it is who has sent a part of a head and nothing more for longest.
        """
        self.members.add(member)
        key = _key_of(member.peer)
        if key:
            self._peers[key] += 1
        if key and self._peers[key] > self.bounds.per_peer:
            self._drop(member, "too many from one address")
        elif len(self.members) > self.bounds.connections:
            self._make_room(member)

    def leave(self, member: Member) -> None:
        """It is closed."""
        if member not in self.members:
            return
        self.members.discard(member)
        key = _key_of(member.peer)
        if key:
            self._peers[key] -= 1
            if not self._peers[key]:
                del self._peers[key]

    async def look(self) -> None:
        """Look at all of them once, a part in each turn of the event loop."""
        now = self._clock()
        for number, member in enumerate(list(self.members), 1):
            member.look(now)
            if number % AT_A_TIME == 0:
                await asyncio.sleep(0)
        if self.closed and now - self._told_at > TELL_EVERY:
            told = ", ".join(f"{count} {why}" for why, count in sorted(self.closed.items()))
            logger.warning("connections closed since the last such line: %s", told)
            self.closed.clear()
            self._told_at = now

    def _make_room(self, newcomer: Member) -> None:
        if not self._longest_idle:
            # The newcomer has sent nothing yet, as has everybody who is idle.
            found = (each for each in self.members if each is not newcomer and _asks_nothing(each))
            by_time = heapq.nsmallest(AT_A_TIME, found, key=lambda each: (each.is_in_head(), each.idle_since))
            self._longest_idle.extend(by_time)
        while self._longest_idle:
            oldest = self._longest_idle.popleft()
            if oldest in self.members and _asks_nothing(oldest):
                self._drop(oldest, "idle, for others")
                return
        self._drop(newcomer, "too many")

    def _drop(self, member: Member, why: str) -> None:
        self.closed[why] += 1
        self.leave(member)
        member.hang_up()


def _asks_nothing(member: Member) -> bool:
    return member.is_idle() or member.is_in_head()


def _key_of(peer: str) -> str:
    """Whom a connection is counted for; empty for this machine, whose callers share one address."""
    key = network_of(peer)
    return "" if not peer or Address(key, 0).is_loopback else key
