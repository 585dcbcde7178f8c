"""Usage: what each caller has had of each function, counted by the hour."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from runtime.events import Answer, Dispatch, Event, Foresee, InvocationError, UnknownFunctionError
from runtime.observations import Observer

HOUR = 3600
HOURS_KEPT = 48
MOST_ROWS = 1000
KEPT_ROWS = 100
"""Rows of an hour that is over; the smallest of it are added up as one."""
LONGEST = 1e6
OTHERS = ("", "others", "others")
UNKNOWN = "(unknown)"
"""In place of a target that there is not."""
LONGEST_NAME = 128
"""Characters of a caller or target that are kept."""

Key = tuple[str, str, str]
"""Trigger, caller (`token:NAME`, `cert:NAME` or an address over HTTP, else the rule or timer), target."""


@dataclass(slots=True)
class Account:
    """Counts of one caller and target; `failed` are among `events`, `refused` are not.

    Sizes are in bytes, of events and of their answers; `seconds` are those that functions ran, as their
    instances measured it. `into` is the account that it was added to, which has counted for it since.
    """

    events: int = 0
    refused: int = 0
    failed: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0

    into: "Account | None" = field(default=None, repr=False, compare=False)

    def sent(self, size: int) -> None:
        """So many bytes of an answer were sent before its end."""
        if self.into is not None:
            self.into.sent(size)
            return
        self.bytes_out += size

    def end(self, outcome: Answer | InvocationError) -> None:
        """An event has its answer, or the reason why there is none."""
        if self.into is not None:
            self.into.end(outcome)
            return
        if isinstance(outcome, InvocationError):
            self.failed += 1
            return
        if outcome.body is not None:
            self.bytes_out += len(outcome.body)
        # Told by an instance, and so any number.
        if 0.0 <= outcome.seconds < LONGEST:
            self.seconds += outcome.seconds

    def counts(self) -> tuple[int, int, int, int, int, float]:
        """All of them, in their order."""
        return (self.events, self.refused, self.failed, self.bytes_in, self.bytes_out, self.seconds)

    def add(self, other: "Account") -> None:
        """What another has, too."""
        self.events += other.events
        self.refused += other.refused
        self.failed += other.failed
        self.bytes_in += other.bytes_in
        self.bytes_out += other.bytes_out
        self.seconds += other.seconds


Rows = dict[Key, Account]


class Usage:
    """Counts what is dispatched, and tells `observer` of what is refused.

    `clock` gives seconds since the epoch, and is looked at by `turn` only.

    `hours` has the rows by the hour's number since the epoch, `earlier` what was before them. `counted` is
    the number of events that came.
    """

    def __init__(self, clock: Callable[[], float] = time.time, observer: Observer | None = None) -> None:
        self._clock = clock
        self._observer = observer or Observer()
        self.hours: dict[int, Rows] = {}
        self.earlier: Rows = {}
        self.began = clock()
        self.counted = 0
        self._rows: Rows = {}
        self.turn()

    def turn(self) -> None:
        """Begin a new hour if it is time: to be called each minute or so."""
        hour = int(self._clock() // HOUR)
        if hour not in self.hours:
            for rows in self.hours.values():
                shrink(rows, KEPT_ROWS)
            self.hours[hour] = {}
        self._rows = self.hours[hour]
        for old in sorted(self.hours)[:-HOURS_KEPT]:
            merge(self.earlier, self.hours.pop(old))
        shrink(self.earlier, MOST_ROWS)

    def count(self, dispatch: Dispatch) -> Dispatch:
        """`dispatch`, with an account for each event."""

        def counted(target: str, event: Event) -> "asyncio.Future[Answer]":
            key = (event.trigger, event.caller or event.source, target)
            account = event.account = self._rows.get(key) or self._rows.get(_short(key)) or Account()
            try:
                future = dispatch(target, event)
            except InvocationError as error:
                self._refuse(key, event, error)
                raise
            if not account.events and not account.refused:
                self._open(key, account)
            self.counted += 1
            account.events += 1
            account.bytes_in += len(event.body)
            return future

        return counted

    def foresee(self, foresee: Foresee) -> Foresee:
        """`foresee`, counting what it raises as an event that was refused."""

        def counted(target: str, event: Event) -> None:
            try:
                foresee(target, event)
            except InvocationError as error:
                self._refuse((event.trigger, event.caller or event.source, target), event, error)
                raise

        return counted

    def total(self, since: float | None = None) -> tuple[float, Rows]:
        """The sums from the hour of `since` on, and its beginning; all there is where it is None."""
        first = None if since is None else int(since // HOUR)
        told: Rows = {}
        if first is None:
            merge(told, self.earlier)
        for hour, rows in self.hours.items():
            if first is None or hour >= first:
                merge(told, rows)
        return (self.began if first is None else max(self.began, first * HOUR)), told

    def _refuse(self, key: Key, event: Event, error: InvocationError) -> None:
        self._observer.refused(key[2], event, error)
        if isinstance(error, UnknownFunctionError):
            # A name that anybody may think of.
            key = (*key[:2], UNKNOWN)
        account = self._rows.get(_short(key))
        if account is None:
            self._open(key, account := Account())
        self.counted += 1
        account.refused += 1

    def _open(self, key: Key, account: Account) -> None:
        if len(self._rows) >= MOST_ROWS:
            # By half, so that it is seldom done.
            shrink(self._rows, MOST_ROWS // 2)
        self._rows[_short(key)] = account


def _short(key: Key) -> Key:
    trigger, caller, target = key
    return trigger, caller[:LONGEST_NAME], target[:LONGEST_NAME]


def merge(rows: Rows, more: Rows) -> None:
    """Add `more` to `rows`."""
    for key, account in more.items():
        rows.setdefault(key, Account()).add(account)


def shrink(rows: Rows, most: int) -> None:
    """Add up the rows with the fewest events as one, so that `most` are left."""
    if len(rows) <= most:
        return
    by_size = sorted(rows, key=lambda key: (key != OTHERS, -rows[key].events - rows[key].refused))
    others = rows.pop(OTHERS, None) or Account()
    for key in by_size[most - 1 :]:
        if key != OTHERS:
            merged = rows.pop(key)
            others.add(merged)
            merged.into = others
    rows[OTHERS] = others


def dump(rows: Rows) -> list[list[object]]:
    """As JSON can say it."""
    return [[*key, *account.counts()] for key, account in rows.items()]


def load(rows: Iterable[list[object]]) -> Rows:
    """What `dump` made; raises ValueError and TypeError for anything else."""
    told: Rows = {}
    for trigger, caller, target, *counts, seconds in rows:
        events, refused, failed, came, went = map(_count, counts)
        account = Account(events, refused, failed, came, went, _seconds(seconds))
        told.setdefault(_short((str(trigger), str(caller), str(target))), Account()).add(account)
    return told


def _count(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no count")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number of seconds")
    return float(value)
