"""Devices in the management API: list, show."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.observing.devices.devices import Devices
from host.observing.devices.listing import ORDERS, STATES, Listing, Wanted
from host.observing.devices.views import describe_unseen, show, show_series
from host.web.numbers import query_flag, query_number

DEFAULT_PAGE, MAX_PAGE = 100, 1000


class DevicesApi:
    """Its endpoints; a name may hold slashes, so it stands in the query."""

    def __init__(self, devices: Devices, listing: Listing) -> None:
        self._devices = devices
        self._listing = listing

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route("/api/devices", self.list_devices, methods=["GET"]),
            Route("/api/device", self.show, methods=["GET"]),
        ]

    async def list_devices(self, request: Request) -> Response:
        """Some of them, in the order that was asked for."""
        return _json(await self._listing.page(read_wanted(request)))

    async def show(self, request: Request) -> Response:
        """One of them, with the columns of its plot."""
        name = request.query_params.get("name", "")
        device = self._devices.find(name)
        if device is not None:
            told = show(device, self._devices.now(), self._devices.hidden)
            return _json({**told, "series": show_series(device.series)})
        functions = self._listing.functions(name)
        if functions is None:
            raise HTTPException(
                404, f"there is no device {name[:256]!r}; `name=` names one that was heard of"
            )
        return _json(describe_unseen(name, functions))


def read_wanted(request: Request) -> Wanted:
    """Which devices are asked for; raises HTTPException (400)."""
    query = request.query_params
    state, order = query.get("state", ""), query.get("sort", "name")
    if state and state not in STATES:
        raise HTTPException(400, f"`state` is one of {', '.join(STATES)}, not {state[:40]!r}")
    if order not in ORDERS:
        raise HTTPException(400, f"`sort` is one of {', '.join(ORDERS)}, not {order[:40]!r}")
    limit = query_number(request, "limit")
    if limit == 0:
        raise HTTPException(400, "limit is 1 at least")
    return Wanted(
        *(query.get("contains", ""), state, order, query_flag(request, "down")),
        offset=query_number(request, "offset") or 0,
        limit=min(MAX_PAGE, limit or DEFAULT_PAGE),
    )


def _json(value: dict[str, Any]) -> Response:
    # What a device calls itself may hold what no UTF-8 can.
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, media_type="application/json")
