"""Pages of the host's own: files of these folders, with what a browser may keep and do."""

import gzip
import hashlib
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = Path(__file__).parent / "static"
API_PAGE, STATIC = "/api", "/static/"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
WORTH = 1024
"""Bytes from which on a file is told compressed, to browsers that take it."""


class Pages:
    """Reads each file when it is asked for; browsers ask each time whether what they have is current.

    The files of `folders` stand below their folder's name: those of `…/js` at `/static/js/…`.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._files = {file.name: StaticFile(file) for file in _find(FOLDER)}
        for folder in folders:
            self._files |= {f"{folder.name}/{file.name}": StaticFile(file) for file in _find(folder)}

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route(API_PAGE, self.show_api, methods=["GET"]),
            Route(STATIC + "{name}", self.show_file, methods=["GET"]),
            Route(STATIC + "{folder}/{name}", self.show_file, methods=["GET"]),
        ]

    async def show_api(self, request: Request) -> Response:
        """The page to try the API."""
        return self._files["api.html"].answer(request)

    async def show_file(self, request: Request) -> Response:
        """What pages are made of."""
        params = request.path_params
        file = self._files.get(
            f"{params['folder']}/{params['name']}" if "folder" in params else params["name"]
        )
        if file is None or file.is_page:
            raise HTTPException(404, "no page of this host has such a file")
        return file.answer(request)


class StaticFile:
    """One file; it does not change while the host runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_page = path.suffix == ".html"

    @cached_property
    def _content(self) -> bytes:
        return self._path.read_bytes()

    @cached_property
    def _compressed(self) -> bytes:
        return gzip.compress(self._content, 6, mtime=0)

    @cached_property
    def _headers(self) -> dict[str, str]:
        return {
            "cache-control": "no-cache",
            "content-type": TYPES[self._path.suffix],
            "etag": f'"{hashlib.sha256(self._content).hexdigest()[:32]}"',
            "vary": "accept-encoding",
        }

    def answer(self, request: Request) -> Response:
        """All of it, or that it has not changed."""
        if self._headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self._headers)
        if len(self._content) < WORTH or "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self._content, headers=self._headers)
        return Response(self._compressed, headers={**self._headers, "content-encoding": "gzip"})


def _find(folder: Path) -> Iterator[Path]:
    return (each for each in folder.iterdir() if each.suffix in TYPES)
