"""The pages `functions` and, for one of them, `functions/NAME` with its tabs."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request

from host.console.function_tabs import environment, live, logs, metrics, revisions, trying, why
from host.console.ground import Ground
from host.console.page import Page, Piece, Shown, Tab
from host.deployment.catalog import UnknownFunctionNameError
from host.web import views

TABS: tuple[Callable[[Ground], Tab], ...] = (
    *(trying.make, live.make, metrics.make, logs.make, revisions.make, why.make, environment.make),
)


def make(ground: Ground) -> Piece:
    """Both, and what keeps them live."""
    tabs = tuple(make_tab(ground) for make_tab in TABS)
    pages = FunctionPages(ground)
    one = Page("functions", pages.load_one, item=True, stem="function", namespaces=("functions",), tabs=tabs)
    return Piece(
        (Page("functions", pages.load_all), one),
        tuple(source for tab in tabs for source in tab.sources),
        tuple(route for tab in tabs for route in tab.routes),
    )


class FunctionPages:
    """What both pages are filled with."""

    def __init__(self, ground: Ground) -> None:
        self._catalog = ground.watched.catalog
        self._why = ground.why

    async def load_all(self, request: Request) -> Shown:
        """A line for each function."""
        return {}

    async def load_one(self, request: Request) -> Shown:
        """One function, as the API describes it; what each of its tabs shows beside is the tab's."""
        name = request.path_params["item"]
        try:
            deployed = self._catalog.get(name)
        except UnknownFunctionNameError as error:
            raise HTTPException(404, self._why(name) or str(error)) from None
        return {"function": views.describe(deployed, self._why(deployed.name))}
