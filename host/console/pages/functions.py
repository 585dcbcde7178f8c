"""The pages `functions` and, for one of them, `functions/NAME` with its tabs."""

import json
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from host.console.function_tabs import environment, live, logs, metrics, revisions, trying, why
from host.console.glances import Glances
from host.console.ground import Ground
from host.console.live.functions import FunctionSource, FunctionsSource
from host.console.page import Page, Piece, Shown, Tab
from host.deployment.catalog import UnknownFunctionNameError
from host.web import views

TABS: tuple[Callable[[Ground], Tab], ...] = (
    *(trying.make, live.make, metrics.make, logs.make, revisions.make, why.make, environment.make),
)
SHARED = ("functions", "deploy")
"""Strings of both pages."""


def make(ground: Ground) -> Piece:
    """Both, and what keeps them live."""
    tabs, glances = tuple(make_tab(ground) for make_tab in TABS), Glances(ground)
    pages, catalog = FunctionPages(ground, glances), ground.watched.catalog
    one = Page("functions", pages.load_one, item=True, stem="function", namespaces=SHARED, tabs=tabs)
    sources = (FunctionsSource(glances), FunctionSource(catalog, glances))
    return Piece(
        (Page("functions", pages.load_all, namespaces=SHARED), one),
        (*sources, *(source for tab in tabs for source in tab.sources)),
        tuple(route for tab in tabs for route in tab.routes),
    )


class FunctionPages:
    """What both pages are filled with; `largest` is how many bytes a package may have."""

    def __init__(self, ground: Ground, glances: Glances) -> None:
        self._catalog = ground.watched.catalog
        self._glances = glances
        self._room = ground.room
        self._why = ground.why

    async def load_all(self, request: Request) -> Shown:
        """A line for each function."""
        return {"functions": await self._glances.take_all(), "largest": self._room.limits.package}

    async def load_one(self, request: Request) -> Shown:
        """One function, as the API describes it; what each of its tabs shows beside is the tab's."""
        name = request.path_params["item"]
        try:
            deployed = self._catalog.get(name)
        except UnknownFunctionNameError as error:
            raise HTTPException(404, self._why(name) or str(error)) from None
        glance = self._glances.take(deployed.name)
        described = views.describe(deployed, glance["last_error"])
        newest = deployed.revisions.get(deployed.live or max(deployed.revisions, default=0))
        return {
            "function": {**described, "condition": glance["condition"]},
            "largest": self._room.limits.package,
            "digest": newest.sha256 if newest and deployed.live else "",
            "description": json.loads(newest.manifest_json)["description"] if newest else "",
        }
