"""Answers browsers with pages: finds the page, sees who asks, and fills its template."""

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from host.access.gate import SESSION, identity_of
from host.access.scopes import ANONYMOUS
from host.console.catalog import LANGUAGES, Catalog
from host.console.page import Page, Piece, Shown
from host.console.viewer import THEMES, read_viewer

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
FILES = tuple(STATIC / name for name in ("js", "css", "vendor"))
"""Folders whose files pages are made of."""
ROOT = "/console/"
SIGN_IN = f"{ROOT}sign-in"
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

    def routes(self) -> list[Route]:
        """Where pages are reached."""
        return [
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

    async def _answer(self, request: Request, page: Page) -> Response:
        identity = identity_of(request)
        if page.verb and not identity.may(page.verb):
            return self._refuse(request) if identity.name == ANONYMOUS else await self._fail(request, 403)
        piece = request.query_params.get("part")
        load = page.load if piece is None else page.parts.get(piece)
        if load is None:
            return await self._fail(request, 404)
        try:
            shown = await load(request)
        except HTTPException as error:
            return await self._fail(request, error.status_code, error.detail)
        name = f"{page.name}-{piece}" if piece else page.name
        return HTMLResponse(await self._fill(request, page, f"parts/{name}" if piece else name, shown))

    def _refuse(self, request: Request) -> Response:
        url = request.url
        wanted = f"{url.path}?{url.query}" if url.query else url.path
        return RedirectResponse(f"{SIGN_IN}?next={quote(wanted)}", 303)

    async def _fail(self, request: Request, status: int, detail: str = "") -> Response:
        page = Page("failure")
        shown = {"status": status, "detail": detail}
        return HTMLResponse(await self._fill(request, page, "failure", shown), status)

    async def _fill(self, request: Request, page: Page, template: str, shown: Shown) -> str:
        catalog = await self._strings()
        values = self._values(request, page, catalog)
        return self._environment.get_template(f"{template}.html").render(**values, **shown)

    async def _strings(self) -> Catalog:
        """Read when somebody looks for the first time: most hosts start without."""
        async with self._reading:
            if self._catalog is None:
                self._catalog = await asyncio.to_thread(Catalog)
        return self._catalog

    def _values(self, request: Request, page: Page, catalog: Catalog) -> dict[str, Any]:
        viewer, identity, session = read_viewer(request), identity_of(request), request.scope.get(SESSION)
        t = partial(catalog.say, viewer.language)
        return {
            "t": t,
            "page": page,
            "navigation": NAVIGATION,
            "languages": LANGUAGES,
            "themes": THEMES,
            "viewer": viewer,
            "identity": identity,
            "may": identity.may,
            "has_style": (STATIC / "css" / f"{page.name}.css").exists(),
            "has_script": (STATIC / "js" / f"{page.name}.js").exists(),
            "about": {
                "page": page.name,
                "language": viewer.language,
                "who": identity.name,
                "scopes": [str(scope) for scope in identity.scopes],
                "csrf": session.csrf if session else "",
                "strings": catalog.namespaces(viewer.language, (page.name, *page.namespaces)),
            },
        }
