"""What the console is made of, as files: pages, templates, scripts, and what each page loads of them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from unittest.mock import MagicMock

from host.console.compose import MAKERS
from host.console.ground import Ground
from host.console.page import Page, Piece
from host.console.site import STATIC, TEMPLATES, View

CODE = Path(__file__).parents[2] / "host" / "console"
SCRIPTS, STYLES, VENDOR = STATIC / "js", STATIC / "css", STATIC / "vendor"
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["']\./([\w-]+)\.js["']""")
COMMENT = re.compile(r"/\*.*?\*/|(?<![:\w\"'`])//[^\n]*", re.DOTALL)
FRAME = ("trusted", "console")
"""Scripts that the frame of all pages loads."""


def pieces() -> list[Piece]:
    """What all files of `pages/` bring, on a ground that is asked nothing."""
    return [make(cast(Ground, MagicMock())) for make in MAKERS]


def views() -> list[View]:
    """Every page of the console, each with each of its tabs, and the page of what failed."""
    return [view for page in [*pages(), Page("failure")] for view in _views(page)]


def pages() -> list[Page]:
    """Every page that has an address."""
    return [page for piece in pieces() for page in piece.pages]


def _views(page: Page) -> Iterator[View]:
    yield View(page, page.tabs[0] if page.tabs else None)
    yield from (View(page, tab) for tab in page.tabs[1:])


def parts(view: View) -> Iterator[View]:
    """The pieces of a view that htmx asks for."""
    owner = view.tab or view.page
    return (replace(view, piece=piece) for piece in owner.parts)


def templates() -> dict[str, str]:
    """Every template by its name, without its comments."""
    files = sorted(TEMPLATES.rglob("*.html"))
    return {_name(file, TEMPLATES): re.sub(r"\{#.*?#\}", "", file.read_text("utf-8")) for file in files}


def scripts() -> dict[str, str]:
    """Every script of ours by its name, without its comments."""
    return {file.stem: COMMENT.sub("", file.read_text("utf-8")) for file in sorted(SCRIPTS.glob("*.js"))}


def loaded(view: View) -> set[str]:
    """The scripts that a view's page loads, with all that these import."""
    found, told = set[str](), scripts()
    waiting = [name for name in (*FRAME, *view.files) if name in told]
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting += [each for each in IMPORT.findall(told[name]) if each not in found]
    return found


def modules() -> dict[str, str]:
    """The console's Python files by their paths in its folder."""
    return {_name(file, CODE): file.read_text("utf-8") for file in sorted(CODE.rglob("*.py"))}


def _name(file: Path, folder: Path) -> str:
    return file.relative_to(folder).as_posix()


def is_text(value: Any) -> bool:
    """Whether it has letters that a person reads."""
    return any(each.isalpha() for each in value)
