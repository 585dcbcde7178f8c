"""Some of many devices, in an order: what a list of them shows."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from host.observing.devices.device import Device
from host.observing.devices.devices import Devices
from host.observing.devices.views import NEVER, OFFLINE, ONLINE, View, describe, describe_unseen

Order = Literal["name", "seen", "rate", "count", "state", "result"]
ORDERS: tuple[Order, ...] = get_args(Order)
STATES = (ONLINE, OFFLINE, NEVER)
Named = Callable[[], Mapping[str, list[str]]]
"""Gives the devices that the config names, each with its functions."""


@dataclass(frozen=True)
class Wanted:
    """Those whose name contains `text`, of one state if that is told; `down`: the greatest first."""

    text: str = ""
    state: str = ""
    order: Order = "name"
    down: bool = False
    offset: int = 0
    limit: int = 100


class Listing:
    """All devices of a host: those that were heard of, and those that its config names."""

    def __init__(self, devices: Devices, named: Named) -> None:
        self._devices = devices
        self._named = named

    async def page(self, wanted: Wanted) -> View:
        """Some of them, how many fit in all, and how many there are of each state."""
        found, named = self._devices.all(), self._named()
        # Thousands of them are sorted where events do not wait for it.
        return await asyncio.to_thread(self._page, wanted, found, named)

    def _page(self, wanted: Wanted, found: list[Device], named: Mapping[str, list[str]]) -> View:
        now, hidden = self._devices.now(), self._devices.hidden
        known = {each.name for each in found}
        rows = [_row(each, now) for each in found]
        rows += [_Row(name, NEVER, functions=told) for name, told in named.items() if name not in known]
        counts = Counter(each.state for each in rows)
        fitting = [each for each in rows if _fits(each, wanted)]
        fitting.sort(key=lambda each: each.name)
        fitting.sort(key=KEYS[wanted.order], reverse=wanted.down)
        shown = fitting[wanted.offset : wanted.offset + wanted.limit]
        told = [
            describe(row.device, now, hidden) if row.device else describe_unseen(row.name, row.functions)
            for row in shown
        ]
        return {
            "devices": told,
            "total": len(fitting),
            "counts": {state: counts[state] for state in STATES},
            "now": now,
        }

    def unseen(self) -> int:
        """How many the config names that nobody has heard of."""
        return sum(self._devices.find(name) is None for name in self._named())

    def functions(self, name: str) -> list[str] | None:
        """Those that the config names for a device; None where it names no such one."""
        return self._named().get(name)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    state: str
    seen: float = 0.0
    rate: float = 0.0
    count: int = 0
    result: str = ""
    device: Device | None = None
    functions: list[str] = field(default_factory=list)


def _row(device: Device, now: float) -> _Row:
    state = ONLINE if device.is_online(now) else OFFLINE
    result = device.newest.result if device.newest else ""
    return _Row(device.name, state, device.seen, device.rate(now), device.count, result, device)


def _fits(row: _Row, wanted: Wanted) -> bool:
    if wanted.state and row.state != wanted.state:
        return False
    return wanted.text.casefold() in row.name.casefold()


KEYS: dict[Order, Callable[[_Row], Any]] = {
    "name": lambda row: row.name,
    "seen": lambda row: row.seen,
    "rate": lambda row: row.rate,
    "count": lambda row: row.count,
    "state": lambda row: STATES.index(row.state),
    "result": lambda row: row.result,
}
