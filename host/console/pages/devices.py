"""The pages `devices` and, for one of them, `devices/NAME`."""

from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request

from host.console.ground import Ground
from host.console.live.source import Source
from host.console.page import Page, Piece, Shown
from host.observing.compose import listing_of
from host.observing.devices.devices import Devices
from host.observing.devices.listing import ORDERS, STATES, Listing, Order, Wanted
from host.observing.devices.views import NEVER, ONLINE, describe, describe_unseen, show, show_series
from host.web.devices import read_wanted

MOST_TOLD = 200
"""Rows of one message; those that it has no room for are told with the next."""
TURNS = 5
"""Seconds in which each device is looked at, whether it has fallen silent."""


def make(ground: Ground) -> Piece:
    """Both, and what keeps them live."""
    devices = ground.observing.knowing.devices
    listing = listing_of(ground.observing, ground.watched)
    pages = DevicePages(devices, listing)
    return Piece(
        (
            Page("devices", pages.load_list, parts={"rows": pages.load_list}),
            Page("devices", pages.load_one, item=True, stem="device", namespaces=("devices",), charts=True),
        ),
        (DevicesSource(devices, listing), DeviceSource(devices, listing)),
    )


class DevicePages:
    """What both pages are filled with."""

    def __init__(self, devices: Devices, listing: Listing) -> None:
        self._devices = devices
        self._listing = listing

    async def load_list(self, request: Request) -> Shown:
        """A row for each device that is asked for."""
        wanted = read_wanted(request)
        told = await self._listing.page(wanted)
        if wanted.offset and not told["devices"]:
            # There were more of them when the page was asked for.
            wanted = replace(wanted, offset=0)
            told = await self._listing.page(wanted)
        return {**told, "wanted": wanted, "states": STATES, **list_links(wanted, told["total"])}

    async def load_one(self, request: Request) -> Shown:
        """One device; what it says is drawn by the page's script."""
        name = unquote(request.path_params["item"])
        told = tell_device(name, self._devices, self._listing)
        if told is None:
            raise HTTPException(404, f"there is no device {name[:256]!r}")
        return {"device": told}


def list_links(wanted: Wanted, total: int) -> Shown:
    """Where the list is in another order, and its pages before and after this one."""
    orders = {order: replace(wanted, order=order, offset=0, down=is_down(order, wanted)) for order in ORDERS}
    before, after = max(0, wanted.offset - wanted.limit), wanted.offset + wanted.limit
    return {
        "sorted": {order: ask_for(each) for order, each in orders.items()},
        "earlier": ask_for(replace(wanted, offset=before)) if wanted.offset else None,
        "later": ask_for(replace(wanted, offset=after)) if after < total else None,
    }


def is_down(order: Order, wanted: Wanted) -> bool:
    """The other way round where it is the order by now; else what people want first: the greatest number."""
    return not wanted.down if order == wanted.order else order in ("seen", "rate", "count")


def ask_for(wanted: Wanted) -> str:
    """The address of a list."""
    told = {"contains": wanted.text, "state": wanted.state, "sort": wanted.order, "down": int(wanted.down)}
    return "/console/devices?" + urlencode({**told, "offset": wanted.offset, "limit": wanted.limit})


def tell_device(name: str, devices: Devices, listing: Listing) -> dict[str, Any] | None:
    """All that is known of one, None of one that nobody knows."""
    device = devices.find(name)
    if device is not None:
        return show(device, devices.now(), devices.hidden)
    functions = listing.functions(name)
    return None if functions is None else describe_unseen(name, functions)


class DevicesSource(Source):
    """The channel `devices`: those that were heard or have fallen silent since, and how many are online."""

    name = "devices"

    def __init__(self, devices: Devices, listing: Listing) -> None:
        self._devices = devices
        self._listing = listing
        self._online: set[str] = set()
        self._counts: dict[str, int] = {}
        self._turn = 0

    def opened(self, item: str) -> None:
        """Begin to note which ones change."""
        self._devices.changed = set()
        now = self._devices.now()
        self._online = {each.name for each in self._devices.all() if each.is_online(now)}
        self._counts = {}

    def closed(self, item: str) -> None:
        """Note it no more."""
        self._devices.changed = None
        self._online = set()

    def begin(self, item: str) -> Any:
        """How many there are: rows came with the page."""
        return {"changed": [], "counts": self._count(), "now": self._devices.now()}

    def tell(self, item: str) -> Any:
        """What is new."""
        now, changed = self._devices.now(), self._devices.changed
        if changed is None:
            return None
        self._look(changed, now)
        told = [changed.pop() for _ in range(min(MOST_TOLD, len(changed)))]
        found = [device for name in told if (device := self._devices.find(name)) is not None]
        counts, before = self._count(), self._counts
        self._counts = counts
        if not found and counts == before:
            return None
        rows = [describe(device, now, self._devices.hidden) for device in found]
        return {"changed": rows, "counts": counts, "now": now}

    def _look(self, changed: set[str], now: float) -> None:
        """See which ones fell silent, a part of them each second."""
        self._online |= changed
        self._turn += 1
        if len(self._online) > len(self._devices):
            # Those that gave way to others.
            self._online = {name for name in self._online if self._devices.find(name) is not None}
        for device in self._devices.all()[self._turn % TURNS :: TURNS]:
            if device.name in self._online and not device.is_online(now):
                self._online.discard(device.name)
                changed.add(device.name)

    def _count(self) -> dict[str, int]:
        online = min(len(self._online), len(self._devices))
        counts = {ONLINE: online, "offline": len(self._devices) - online}
        return {**counts, NEVER: self._listing.unseen()}


class DeviceSource(Source):
    """The channels `device:NAME` (with what is not plain in the name as `%XX`): all that is known of one."""

    name = "device"
    items = True

    def __init__(self, devices: Devices, listing: Listing) -> None:
        self._devices = devices
        self._listing = listing
        self._told: dict[str, tuple[int, str, float]] = {}

    def opened(self, item: str) -> None:
        """There must be such a device, or the config name it."""
        if tell_device(unquote(item), self._devices, self._listing) is None:
            raise KeyError(item)

    def closed(self, item: str) -> None:
        """Forget how far it was told."""
        self._told.pop(item, None)

    def begin(self, item: str) -> Any:
        """All of it, with the whole plot."""
        return self._tell(item, 0.0)

    def tell(self, item: str) -> Any:
        """What it is like by now, and what the plot has more."""
        device = self._devices.find(unquote(item))
        if device is None:
            return None
        state = "online" if device.is_online(self._devices.now()) else "offline"
        runs = sum(line.count for line in device.lines.values())
        before = self._told.get(item, (0, "", 0.0))
        last = device.series.times[-1] if device.series.times else 0.0
        self._told[item] = (runs, state, last)
        # A plot that began anew, as the clock was set back, is told as a whole.
        since = before[2] if last >= before[2] else 0.0
        return None if self._told[item] == before else self._tell(item, since)

    def _tell(self, item: str, since: float) -> Any:
        name = unquote(item)
        told = tell_device(name, self._devices, self._listing)
        device = self._devices.find(name)
        if told is None or device is None:
            return {"device": told, "series": None, "now": self._devices.now()}
        # The last moment may have got more numbers since it was told.
        series = show_series(device.series, since - 1e-3 if since else 0.0)
        return {"device": told, "series": series, "now": self._devices.now()}
