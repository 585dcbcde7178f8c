"""What a revision's processes are told when they start, in the management API, for who debugs it here."""

import asyncio

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from host.deployment.catalog import Catalog
from host.web.numbers import path_number
from runtime.boot import BootError
from runtime.leftovers import MARKER
from runtime.process import make_environment, setup_message

PATH = "/api/functions/{name}/revisions/{number}/setup"


class SetupsApi:
    """Its endpoint."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route(PATH, self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Paths on this machine, variables, and the names of secrets, whose values are told to nobody.

        `user` is the function's own user id, null where it runs as the host's.
        """
        name, number = request.path_params["name"], path_number(request, "number")
        revision = self._catalog.get(name).revisions.get(number)
        if revision is None:
            raise HTTPException(404, f"there is no revision {name}@{number}")
        workshop = self._catalog.workshop
        try:
            spec = self._catalog.make_pool(revision).spec
            user = await asyncio.to_thread(workshop.boxes.user_of, name)
        except (OSError, BootError) as error:
            raise HTTPException(503, f"{name}@{number} cannot be started: {error}") from None
        environment = make_environment(spec, "", spec.output_dir)
        environment.pop(MARKER)
        told = {**setup_message(spec, workshop), "secrets": sorted(spec.secrets)}
        programs = {"program": str(spec.program), "worker": str(workshop.overlay.worker)}
        return JSONResponse({"setup": told, "environment": environment, "user": user, **programs})
