"""Pages of the host's own: files of the folder beside this one, with what a browser may keep and do."""

import hashlib
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


class Pages:
    """Reads the folder once. Browsers ask each time whether what they have is current, and get a 304."""

    def __init__(self) -> None:
        files = (each for each in FOLDER.iterdir() if each.suffix in TYPES)
        self._files = {each.name: _StaticFile(each) for each in files}

    def routes(self) -> list[Route]:
        """Where they are reached."""
        return [
            Route(API_PAGE, self.show_api, methods=["GET"]),
            Route(STATIC + "{name}", self.show_file, methods=["GET"]),
        ]

    async def show_api(self, request: Request) -> Response:
        """The page to try the API."""
        return self._files["api.html"].answer(request)

    async def show_file(self, request: Request) -> Response:
        """What pages are made of."""
        file = self._files.get(request.path_params["name"])
        if file is None or file.is_page:
            raise HTTPException(404, "no page of this host has such a file")
        return file.answer(request)


class _StaticFile:
    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()
        self.is_page = path.suffix == ".html"
        digest = hashlib.sha256(self._content).hexdigest()[:32]
        self._headers = {
            "cache-control": "no-cache",
            "content-type": TYPES[path.suffix],
            "etag": f'"{digest}"',
        }

    def answer(self, request: Request) -> Response:
        if self._headers["etag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=self._headers)
        return Response(self._content, headers=self._headers)
