"""What a revision runs in, in the management API: interpreter, installed packages, what its manifest says."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from functions.imports import normal
from functions.installed import DIST_INFO, read_environment
from functions.package import WHEELS
from functions.registry import Revision
from host.deployment.catalog import Catalog
from host.state import StateDir
from host.web.numbers import path_number
from runtime.boot import BootError

MOST_PACKAGES = 2000
LONGEST_URL_FILE = 64 * 1024
WHEEL_PARTS = 5


class EnvironmentsApi:
    """Its endpoint."""

    def __init__(self, catalog: Catalog, state: StateDir) -> None:
        self._catalog = catalog
        self._state = state

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/functions/{name}/revisions/{number}/environment", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """A revision's environment."""
        name, number = request.path_params["name"], path_number(request, "number")
        return JSONResponse(await self.tell(name, number))

    async def tell(self, name: str, number: int) -> dict[str, Any]:
        """The same for a page; raises UnknownFunctionNameError, or HTTPException (404).

        A package comes from `wheels` of its own, an `index`, or an address. Of variables only the names are
        told: what stands in them may be anything. `input` is the JSON Schema of its events, if it says one.
        """
        revision = self._catalog.get(name).revisions.get(number)
        if revision is None:
            raise HTTPException(
                404, f"there is no revision {name}@{number}; `fnhost describe {name}` lists them"
            )
        manifest = json.loads(revision.manifest_json)
        variables = self._variables(revision, manifest.pop("env"))
        installed = await asyncio.to_thread(self._read, revision)
        told = {
            "isolation": manifest["isolation"],
            "variables": variables,
            "input": manifest.pop("input", None),
        }
        return {**installed, **told, "manifest": manifest}

    def _variables(self, revision: Revision, told: Mapping[str, str]) -> list[str]:
        """Those of the manifest, and those that the config adds."""
        try:
            return sorted({*told, *self._catalog.make_pool(revision).spec.env})
        except (OSError, BootError):
            return sorted(told)

    def _read(self, revision: Revision) -> dict[str, Any]:
        environment = self._state.environment(revision.function, revision.number)
        installed = read_environment(environment, ())
        own = _own_wheels(self._state.package(revision.sha256) / WHEELS)
        packages = [each for folder in installed.site or () for each in _packages(folder, own)]
        packages.sort(key=lambda each: each["name"])
        return {"python": installed.python or None, "packages": packages[:MOST_PACKAGES]}


def _packages(folder: Path, own: set[str]) -> Iterator[dict[str, str]]:
    for info in folder.glob("*.dist-info"):
        if match := DIST_INFO.fullmatch(info.name):
            usual = "wheels" if normal(match[1]) in own else "index"
            source = _url_of(info) or usual
            yield {"name": match[1].replace("_", "-"), "version": match[2], "source": source}


def _own_wheels(folder: Path) -> set[str]:
    parts = (wheel.stem.split("-") for wheel in folder.glob("*.whl"))
    return {normal(each[0]) for each in parts if len(each) >= WHEEL_PARTS}


def _url_of(info: Path) -> str | None:
    """From where it was installed that came by its address (PEP 610); packages may write anything there."""
    try:
        with (info / "direct_url.json").open("rb") as file:
            url = json.loads(file.read(LONGEST_URL_FILE))["url"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return url if isinstance(url, str) else None
