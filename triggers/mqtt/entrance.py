"""The way into a rule: messages are read within bounds and judged, and what is refused is a dead letter."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from runtime.events import Event, InputRejectedError, InvocationError, TooLargeError
from runtime.worker.json_depth import is_deeper
from triggers.delivery.work import Work
from triggers.mqtt.devices import DeviceGuard, Objection
from triggers.mqtt.endings import Endings
from triggers.mqtt.messages import Delivery, event_of
from triggers.mqtt.plan import RulePlan, lane_name
from triggers.mqtt.takers import UNREAD, Takers

NO_FUNCTION = "-"
LONGEST_REFUSED = 16 * 1024
"""Bytes that are kept of an event that its device may not send: it must not crowd out others' letters."""
SMALL = 64 * 1024
"""Bytes that are read whatever the functions take."""
AROUND = b" \t\r\n\0\xef\xbb\xbf\xff\xfe"
"""What may stand before JSON, in any of its encodings."""


class NotJsonError(InputRejectedError):
    """An event that is no JSON, though a device was to be found in it."""


class Admitted(NamedTuple):
    """An event as `Takers.read` gives it, None with `why` when it is none; and its bound device, or ""."""

    event: object
    device: str
    why: InvocationError | None


@dataclass(frozen=True)
class EntranceParts:
    """`max_event` gives the bytes that a function takes, None when that is not known; `next_seq` a number."""

    endings: Endings
    max_event: Callable[[str], int | None]
    next_seq: Callable[[], int]


class Entrance:
    """Admits the messages of one rule; what is remembered of devices stays as long as what they may send."""

    def __init__(self, parts: EntranceParts) -> None:
        self._parts = parts
        self._guard: DeviceGuard | None = None
        self._judging: object = None
        self._functions: tuple[str, ...] = ()

    def update(self, plan: RulePlan, takers: Takers) -> None:
        """From now on decide as `plan` says, and read what `takers` must know."""
        judging = plan.bind, plan.care.device
        if judging != self._judging:
            clock = asyncio.get_running_loop().time
            claim = plan.care.device.split(".")
            self._guard = DeviceGuard(plan.bind, claim, clock) if plan.bind is not None else None
            self._judging = judging
        self._plan, self._takers = plan, takers
        self._functions = tuple(name for name, _ in plan.functions)

    def admit(self, delivery: Delivery, known: Mapping[str, tuple[int, ...]], now: float) -> Admitted | None:
        """What is in it, and whose it is; None when it is dealt with here.

        `known` is what an earlier life of the host has put on disk, and is not judged again. `now` is in
        seconds since the epoch.
        """
        guard = self._guard
        if guard is None:
            event, why = self._read(delivery.payload)
            return Admitted(event, "", why)
        if NO_FUNCTION in known:
            delivery.rows += [row for rows in known.values() for row in rows]
            delivery.finish()
            return None
        device = guard.device_of(delivery)
        if not known and (objection := guard.challenge(device)) is not None:
            self._refuse(delivery, objection, now)
            return None
        event, why = self._read(delivery.payload)
        admitted = Admitted(event, device, why)
        if not known and (objection := _judge(guard, admitted)) is not None:
            self._refuse(delivery, objection, now)
            return None
        return admitted

    def bury_unread(self, delivery: Delivery, why: InvocationError, now: float) -> None:
        """Make a dead letter of an event that no function gets, since it cannot be told whose it is."""
        event = event_of(delivery, self._plan.name, now)
        if not isinstance(why, NotJsonError):
            _shorten(event)
        self._bury(delivery, event, why)

    def _read(self, payload: bytes) -> tuple[object, InvocationError | None]:
        if not self._takers.reads:
            return UNREAD, None
        try:
            self._check(payload)
            event = self._takers.read(payload)
        except InvocationError as error:
            return None, error
        except (ValueError, RecursionError):
            event = None
        why = NotJsonError("the event is not JSON, so no device can be found in it")
        return event, why if event is None else None

    def _check(self, payload: bytes) -> None:
        """Raise InvocationError for what costs too much to read, before anything is built of it."""
        size, limits = len(payload), self._plan.reading
        if size > SMALL and size > (most := self._most(limits.size)):
            why = f"the functions of the rule take {most} bytes at most (`max_event`), not {size}"
            raise TooLargeError(why)
        if is_deeper(payload, limits.depth) and payload.lstrip(AROUND)[:1] in (b"{", b"["):
            why = f"the event is JSON nested more than {limits.depth} deep (`limits.json_depth`)"
            raise InputRejectedError(why)

    def _most(self, default: int) -> int:
        told = [self._parts.max_event(name) for name in self._functions]
        return max((default if each is None else each for each in told), default=default)

    def _refuse(self, delivery: Delivery, objection: Objection, now: float) -> None:
        counters = self._parts.endings.counters
        counters.refuse(objection.reason)
        if not objection.kept:
            counters.failed += 1
            counters.refused_unkept += 1
            delivery.finish()
            return
        event = event_of(delivery, self._plan.name, now, objection.device or None)
        _shorten(event)
        self._bury(delivery, event, objection.error)

    def _bury(self, delivery: Delivery, event: Event, error: InvocationError) -> None:
        delivery.parts = 1
        work = Work(event, self._parts.next_seq(), delivery, delivery.qos > 0)
        self._parts.endings.refuse(lane_name(self._plan, NO_FUNCTION), NO_FUNCTION, work, error)


def _judge(guard: DeviceGuard, admitted: Admitted) -> Objection | None:
    event, device, why = admitted
    if why is None or isinstance(why, NotJsonError):
        return guard.judge(device, event)
    return guard.refuse(device, why)


def _shorten(event: Event) -> None:
    """Keep the first part of what comes with no bound."""
    event.body = event.body[:LONGEST_REFUSED]
    if isinstance(event.meta, dict) and len(json.dumps(event.meta.get("headers"))) > LONGEST_REFUSED:
        del event.meta["headers"]
