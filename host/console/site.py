"""Answers browsers with pages: finds the page, sees who asks, and fills its template."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from host.access.gate import SESSION, identity_of
from host.access.scopes import ADMIN, ANONYMOUS, READ, Identity
from host.console.catalog import LANGUAGES, Catalog
from host.console.compression import answer_page
from host.console.page import Load, Page, Piece, Shown, Tab
from host.console.viewer import THEMES, read_viewer
from host.console.wording import FILTERS
from host.web.sessions import SIGN_IN

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
FILES = tuple(STATIC / name for name in ("js", "css", "vendor"))
"""Folders whose files pages are made of."""
ROOT = "/console/"
NAVIGATION = (
    *("overview", "flow", "functions", "invocations"),
    *("mqtt", "dead-letters", "devices", "settings"),
)


class Site:
    """All pages, each reached by its name; the overview is at the root, too."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._catalog: Catalog | None = None
        self._reading = asyncio.Lock()
        pages = [page for piece in pieces for page in piece.pages]
        self._pages = {(page.name, page.item): page for page in pages}
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)

    def routes(self) -> list[Route]:
        """Where pages are reached."""
        return [
            Route(ROOT, self.go_home, methods=["GET"]),
            Route(f"{ROOT}{{page}}", self.show, methods=["GET"]),
            Route(f"{ROOT}{{page}}/{{item}}", self.show, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page that the path names."""
        params = request.path_params
        page = self._pages.get((params["page"], "item" in params))
        if page is None:
            return await self._fail(request, 404)
        return await self._answer(request, page)

    async def show_home(self, request: Request) -> Response:
        """The overview."""
        return await self._answer(request, self._pages["overview", False])

    async def go_home(self, request: Request) -> Response:
        """Where the overview is."""
        return RedirectResponse("/", 303)

    async def _answer(self, request: Request, page: Page) -> Response:
        identity = identity_of(request)
        if page.verb and not identity.may(page.verb):
            return self._refuse(request) if identity.name == ANONYMOUS else await self._fail(request, 403)
        tab = choose_tab(page, identity, request)
        if page.tabs and tab is None:
            return await self._fail_tab(request, page)
        view = View(page, tab, request.query_params.get("part", ""))
        if (loads := view.loads()) is None:
            return await self._fail(request, 404)
        shown: Shown = {}
        try:
            for load in loads:
                shown |= await load(request)
        except HTTPException as error:
            return await self._fail(request, error.status_code, error.detail)
        return await answer_page(request, await self._fill(request, view, shown))

    def _refuse(self, request: Request) -> Response:
        url = request.url
        wanted = f"{url.path}?{url.query}" if url.query else url.path
        return RedirectResponse(f"{SIGN_IN}?next={quote(wanted)}", 303)

    async def _fail_tab(self, request: Request, page: Page) -> Response:
        asked = request.query_params.get("tab")
        verb = next((each.verb for each in page.tabs if each.name == asked), "")
        if not verb:
            return await self._fail(request, 404)
        named = verb != ADMIN and page.item
        return await self._fail(
            request, 403, scope=f"{verb}:{request.path_params['item']}" if named else verb
        )

    async def _fail(self, request: Request, status: int, detail: str = "", *, scope: str = READ) -> Response:
        shown = {"status": status, "detail": detail, "scope": scope}
        return await answer_page(request, await self._fill(request, View(Page("failure")), shown), status)

    async def _fill(self, request: Request, view: "View", shown: Shown) -> str:
        catalog = await self._strings()
        values = self._values(request, view, catalog)
        return self._environment.get_template(f"{view.template}.html").render(**values, **shown)

    async def _strings(self) -> Catalog:
        """Read when somebody looks for the first time: most hosts start without."""
        async with self._reading:
            if self._catalog is None:
                self._catalog = await asyncio.to_thread(Catalog)
        return self._catalog

    def _values(self, request: Request, view: "View", catalog: Catalog) -> dict[str, Any]:
        viewer, identity, session = read_viewer(request), identity_of(request), request.scope.get(SESSION)
        page, t = view.page, partial(catalog.say, viewer.language)
        return {
            "t": t,
            "page": page,
            "tab": view.tab,
            "charts": page.charts or (view.tab is not None and view.tab.charts),
            "navigation": [name for name in NAVIGATION if identity.may(self._pages[name, False].verb)],
            "languages": LANGUAGES,
            "themes": THEMES,
            "viewer": viewer,
            "identity": identity,
            "may": identity.may,
            "styles": [each for each in view.files if (STATIC / "css" / f"{each}.css").exists()],
            "scripts": [each for each in view.files if (STATIC / "js" / f"{each}.js").exists()],
            "about": {
                "page": page.name,
                "language": viewer.language,
                "who": identity.name,
                "scopes": [str(scope) for scope in identity.scopes],
                "csrf": session.csrf if session else "",
                "strings": catalog.namespaces(viewer.language, view.namespaces),
            },
        }


@dataclass(frozen=True)
class View:
    """What of a page is asked for: all of it with one of its tabs if it has any, or a piece for htmx."""

    page: Page
    tab: Tab | None = None
    piece: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """How the names of its files begin, those of the tab last."""
        stem = self.page.files
        return (stem, f"{stem}-{self.tab.name}") if self.tab else (stem,)

    @property
    def template(self) -> str:
        """The name of its template."""
        return f"parts/{self.files[-1]}-{self.piece}" if self.piece else self.page.files

    @property
    def namespaces(self) -> tuple[str, ...]:
        """Of the strings that its scripts need."""
        return (*self.files, *self.page.namespaces, *(self.tab.namespaces if self.tab else ()))

    def loads(self) -> list[Load] | None:
        """What fills the template; None where there is no such piece."""
        if self.piece:
            parts = self.tab.parts if self.tab else self.page.parts
            return [parts[self.piece]] if self.piece in parts else None
        return [self.page.load, *([self.tab.load] if self.tab else [])]


def choose_tab(page: Page, identity: Identity, request: Request) -> Tab | None:
    """The tab that is asked for, else the first that the viewer may see; None where there is none."""
    item, asked = request.path_params.get("item", ""), request.query_params.get("tab")
    offered = (each for each in page.tabs if not each.verb or identity.may(each.verb, item))
    return next((each for each in offered if asked in (None, each.name)), None)
