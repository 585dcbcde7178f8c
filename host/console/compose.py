"""Puts the console together: pages, the live feed, and the files that pages are made of."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route

from host.console.ground import Ground
from host.console.live.api import LiveApi
from host.console.live.feed import Feed
from host.console.page import Piece
from host.console.pages import (
    dead_letters,
    devices,
    flow,
    functions,
    invocations,
    mqtt,
    overview,
    settings,
    sign_in,
)
from host.console.site import Site

MAKERS: tuple[Callable[[Ground], Piece], ...] = (
    *(overview.make, flow.make, functions.make, invocations.make),
    *(mqtt.make, dead_letters.make, devices.make, settings.make, sign_in.make),
)


@dataclass(frozen=True)
class Console:
    """What the host takes of it: a part, the routes, and what stands at the root for browsers."""

    feed: Feed
    site: Site
    routes: tuple[Route, ...]


def compose_console(ground: Ground) -> Console:
    """Build it; needs a running event loop."""
    pieces = [make(ground) for make in MAKERS]
    site, feed = Site(pieces), Feed(source for piece in pieces for source in piece.sources)
    own = [route for piece in pieces for route in piece.routes]
    return Console(feed, site, (*own, *LiveApi(feed).routes(), *site.routes()))
