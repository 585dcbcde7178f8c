"""What one page of the console is: where it stands, who may see it, what it shows and what keeps it live."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from host.access.scopes import READ
from host.console.live.source import Source

Shown = dict[str, Any]
Load = Callable[[Request], Awaitable[Shown]]
"""Gives what a template is filled with; raises HTTPException where there is no such thing."""


async def load_nothing(request: Request) -> Shown:
    """For a page that is filled by its script."""
    return {}


@dataclass(frozen=True)
class Tab:
    """One view of a page that has several: `?tab=NAME`.

    It has files of its own beside those of its page, of which only what is shown is loaded: where the page's
    are `function.*`, they are `templates/parts/function-NAME.html`, `static/js/function-NAME.js`,
    `static/css/function-NAME.css` and `strings/function-NAME.yaml`. `load` fills its template together with
    what the page's own gives. `parts` are pieces of it that htmx asks for with `?tab=NAME&part=PIECE`, each
    from `templates/parts/function-NAME-PIECE.html`. It is offered to those who may do `verb` to the item,
    where there is one. `sources` and `routes` are what it brings along.
    """

    name: str
    load: Load = load_nothing
    verb: str = ""
    namespaces: tuple[str, ...] = ()
    charts: bool = False
    parts: Mapping[str, Load] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page at `/console/NAME`, or with `item` at `/console/NAME/ITEM`.

    Its template is `templates/NAME.html` (with hyphens), its script `static/js/NAME.js`, its style
    `static/css/NAME.css`, its strings `strings/NAME.yaml`; `stem` stands in place of that NAME where it is
    told. `parts` are pieces of it that htmx asks for with `?part=PIECE`, each from
    `templates/parts/NAME-PIECE.html`. `section` is the page that the navigation marks; an empty `verb` lets
    everybody see it. `namespaces` are more of the strings that its script needs. `charts` says whether it
    draws any. Of `tabs` the first that the viewer may see is shown where none is asked for.
    """

    name: str
    load: Load = load_nothing
    item: bool = False
    verb: str = READ
    section: str = ""
    namespaces: tuple[str, ...] = ()
    charts: bool = False
    parts: Mapping[str, Load] = field(default_factory=dict)
    stem: str = ""
    tabs: tuple[Tab, ...] = ()

    @property
    def files(self) -> str:
        """How the names of its files begin."""
        return self.stem or self.name

    @property
    def marked(self) -> str:
        """The page of the navigation that this one belongs to."""
        return self.section or self.name


@dataclass(frozen=True)
class Piece:
    """What one file of `pages/` brings: pages, what keeps them live, and endpoints of their own."""

    pages: tuple[Page, ...]
    sources: tuple[Source, ...] = ()
    routes: tuple[Route, ...] = ()
