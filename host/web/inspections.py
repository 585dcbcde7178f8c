"""One revision in the management API, with what stood in its package when it was deployed."""

import asyncio
import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host.deployment.catalog import Catalog
from host.state import StateDir
from host.web.numbers import path_number
from host.web.views import view_revision


class InspectionsApi:
    """Its endpoint."""

    def __init__(self, catalog: Catalog, state: StateDir) -> None:
        self._catalog = catalog
        self._state = state

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/functions/{name}/revisions/{number}", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """A revision; `inspection` is null where its package was never looked into."""
        name, number = request.path_params["name"], path_number(request, "number")
        revision = self._catalog.get(name).revisions.get(number)
        if revision is None:
            raise HTTPException(
                404, f"there is no revision {name}@{number}; `fnhost describe {name}` lists them"
            )
        inspection = await asyncio.to_thread(self._read, name, number)
        return JSONResponse({**view_revision(revision), "inspection": inspection})

    def _read(self, name: str, number: int) -> Any:
        try:
            return json.loads(self._state.inspection(name, number).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):  # a power failure may have left half of it
            return None
