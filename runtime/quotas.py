"""Quotas: how many events each caller may have in a time, and at a time."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conf.address import network_of
from runtime.events import Answer, Dispatch, Event, Foresee, InvocationError, QueueFullError
from runtime.ratelimit import RateLimit, RateLimitedError

MOST_CALLERS = 4096
"""Callers that are remembered; beyond that those who called longest ago start anew."""


@dataclass(frozen=True)
class Allowance:
    """What each caller may do whose name fits the pattern `caller`; `interval` is in seconds.

    `count` events in each interval, `concurrency` at a time (those count that wait or run, whether or not
    somebody waits for their answers); None: any number.
    """

    caller: str
    count: int | None = None
    interval: float = 1.0
    concurrency: int | None = None


class TooManyAtOnceError(QueueFullError):
    """The caller has as many events under way as it may."""


class _Caller:
    """What one caller may do, and what it has under way."""

    __slots__ = ("most", "name", "rate", "running")

    def __init__(self, name: str, allowance: Allowance | None, clock: Callable[[], float]) -> None:
        self.name = name
        self.most = allowance.concurrency if allowance else None
        self.running = 0
        self.rate: RateLimit | None = None
        if allowance and allowance.count is not None:
            self.rate = RateLimit(allowance.count, allowance.interval, clock)

    def charge(self) -> None:
        """One event more; raises RateLimitedError."""
        if self.rate is not None and (delay := self.rate.take()) > 0:
            raise self._too_often(delay)

    def foresee(self) -> None:
        """Raise what `dispatch` would, and count nothing."""
        self._check_running()
        if self.rate is not None and (delay := self.rate.delay()) > 0:
            raise self._too_often(delay)

    def dispatch(self, dispatch: Dispatch, target: str, event: Event) -> "asyncio.Future[Answer]":
        """`dispatch`, within what this caller may do."""
        self._check_running()
        self.charge()
        if self.most is not None:
            event.ended = self._ended
        try:
            future = dispatch(target, event)
        except InvocationError:
            if self.rate is not None:
                self.rate.give_back()
            raise
        if self.most is not None:
            self.running += 1
        return future

    def _check_running(self) -> None:
        if self.most is not None and self.running >= self.most:
            raise TooManyAtOnceError(f"{self.name} has {self.running} events under way, as many as it may")

    def _too_often(self, delay: float) -> RateLimitedError:
        return RateLimitedError(f"{self.name} sends more events than its quota allows", delay)

    def _ended(self) -> None:
        self.running -= 1


class Quotas:
    """Holds callers to the first allowance that fits their name; an IPv6 network is one caller.

    Callers are kept in two generations of `most` / 2, as those in use longest; who has events under way
    stays. `clock` gives seconds.
    """

    def __init__(
        self,
        allowances: Sequence[Allowance],
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST_CALLERS,
    ) -> None:
        self._clock = clock
        self._most = most
        self._young: dict[str, _Caller] = {}
        self._old: dict[str, _Caller] = {}
        self._allowances = tuple(allowances)

    def apply(self, allowances: Sequence[Allowance]) -> None:
        """Go over to others; where they are the same, what callers have used up stays so."""
        if tuple(allowances) != self._allowances:
            self._allowances = tuple(allowances)
            self._young, self._old = {}, {}

    def charge(self, caller: str) -> None:
        """Count one event that is not dispatched now; raises RateLimitedError."""
        if self._allowances and caller:
            self._find(caller).charge()

    def limit(self, dispatch: Dispatch) -> Dispatch:
        """`dispatch`, but raising QueueFullError for HTTP events of callers who have had enough.

        Others pass: a bound device of MQTT that had to wait would hold up its rule, and all devices with it.
        """

        def limited(target: str, event: Event) -> "asyncio.Future[Answer]":
            if not self._allowances or not event.caller or event.trigger != "http":
                return dispatch(target, event)
            caller = self._young.get(event.caller) or self._find(event.caller)
            return caller.dispatch(dispatch, target, event)

        return limited

    def foresee(self, foresee: Foresee) -> Foresee:
        """`foresee`, but raising as a `dispatch` within these limits would."""

        def foreseeing(target: str, event: Event) -> None:
            if self._allowances and event.caller:
                self._find(event.caller).foresee()
            foresee(target, event)

        return foreseeing

    def _find(self, name: str) -> _Caller:
        caller = self._young.get(name)
        if caller is not None:
            return caller
        allowance = self._allowance(name)
        network = network_of(name)
        if network != name and allowance is not None and allowance.caller != name:
            # All that fit the same entry share it.
            name = f"{network} ({allowance.caller})"
            if (caller := self._young.get(name)) is not None:
                return caller
        caller = self._old.pop(name, None) or _Caller(name, allowance, self._clock)
        if len(self._young) >= self._most // 2:
            busy = {each.name: each for each in self._old.values() if each.running}
            self._old, self._young = self._young, busy
        self._young[name] = caller
        return caller

    def _allowance(self, name: str) -> Allowance | None:
        return next((each for each in self._allowances if fnmatchcase(name, each.caller)), None)
