"""The management API: deploy, look, scale, remove, health; everything but `/invoke`."""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from conf.faults import ConfigError
from functions.errors import PackageError
from host.access.gate import may_look, note_for_audit
from host.deployment.catalog import Catalog, ScaleError, UnknownFunctionNameError
from host.deployment.deployer import Deployer, Line
from host.deployment.room import NoRoomError
from host.full_disk import FULL, is_out_of_room, tell_refused
from host.health import Health
from host.logs.store import LogStore
from host.reload import NoConfigError, Reloader
from host.saved_events import SavedEvents
from host.state import StateDir
from host.web import views
from host.web.bodies import read_object
from host.web.methods import allowed_methods
from host.web.numbers import path_number
from runtime.events import UnavailableError
from runtime.scaling.decisions import Record
from triggers.invocations.ledger import FinishedInvocationError, UnknownInvocationError

LINES_AT_A_TIME = 50


@dataclass(frozen=True)
class Reports:
    """What other parts tell the API.

    `queue_rows` gives the rows of `/queue_size_metrics`, `delivery` what `/api/delivery` shows; `why` says
    what keeps the package that the config names for a function from service; `decisions` gives what was
    decided about a function's instances, newest last.
    """

    queue_rows: Callable[[], list[dict[str, Any]]]
    delivery: Callable[[], Awaitable[dict[str, Any]]]
    why: Callable[[str], str | None]
    decisions: Callable[[str], Iterable[Record]]


@dataclass(frozen=True)
class ApiParts:
    """What the API shows and commands; `home` is what browsers get at the root."""

    state: StateDir
    catalog: Catalog
    deployer: Deployer
    logs: LogStore
    health: Health
    reports: Reports
    reloader: Reloader
    saved: SavedEvents
    home: Callable[[Request], Awaitable[Response]]


class Api:
    """The endpoints, each one verb; `more` has those of other files."""

    def __init__(self, parts: ApiParts, more: Sequence[Route]) -> None:
        self._parts = parts
        self._why = parts.reports.why
        self._more = more

    def application(self) -> Starlette:
        """The Starlette application."""
        name = "/api/functions/{name}"
        routes = [
            Route("/", self.hello),
            Route("/livez", self.live),
            Route("/readyz", self.ready),
            Route("/queue_size_metrics", self.queue_sizes),
            Route("/api/config", self.apply_config, methods=["POST"]),
            Route("/api/delivery", self.show_delivery, methods=["GET"]),
            Route("/api/functions", self.list_functions, methods=["GET"]),
            Route(name, self.describe, methods=["GET"]),
            Route(name, self.remove, methods=["DELETE"]),
            Route(f"{name}/scale", self.scale, methods=["POST"]),
            Route(f"{name}/why", self.list_decisions, methods=["GET"]),
            Route(f"{name}/revisions/{{number}}/build-log", self.read_build_log, methods=["GET"]),
            *self._more,
        ]
        handlers: dict[Any, Any] = {
            HTTPException: _tell_http,
            UnknownFunctionNameError: _tell(404, "Unknown function"),
            UnavailableError: _tell(503, "The function cannot run now"),
            ScaleError: _tell(409, "Outside of the bounds"),
            PackageError: _tell(422, "The package is refused"),
            NoRoomError: _tell(507, "There is no room"),
            ConfigError: _tell(422, "The config is refused, and nothing has changed"),
            UnknownInvocationError: _tell(404, "Unknown invocation"),
            FinishedInvocationError: _tell(409, "The invocation has ended"),
            NoConfigError: _tell(409, "There is no config to apply"),
            sqlite3.Error: self._tell_database,
            OSError: self._tell_disk,
        }
        return Starlette(routes=routes, exception_handlers=handlers)

    def _tell_database(self, request: Request, error: Exception) -> Response:
        if is_out_of_room(error):
            return self._tell_disk(request, error)
        return _problem(503, "The host's disk cannot be read", str(error), {})

    def _tell_disk(self, request: Request, error: Exception) -> Response:
        if not is_out_of_room(error):
            raise error
        response = _problem(507, FULL, tell_refused(self._parts.state.root), {})
        # The rest of a body that found no room is not read: this connection cannot be used again.
        response.headers["connection"] = "close"
        return response

    async def hello(self, request: Request) -> Response:
        """A page for browsers; for others what the program before this one answered."""
        if "text/html" in request.headers.get("accept", ""):
            return await self._parts.home(request)
        return JSONResponse({"code": 200, "data": "hello world!", "msg": "", "show": True})

    async def live(self, request: Request) -> Response:
        """The host's event loop turns."""
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:
        """Whether events can be taken, and what says otherwise."""
        checks = self._parts.health.checks()
        ready = all(check.ok or not check.required for check in checks)
        details = {"checks": [asdict(check) for check in checks]} if may_look(request) else {}
        return JSONResponse({"ready": ready, **details}, 200 if ready else 503)

    async def queue_sizes(self, request: Request) -> Response:
        """Queue lengths by rule and function, in the older program's shape."""
        return JSONResponse({"queue_size_metrics": self._parts.reports.queue_rows()})

    async def show_delivery(self, request: Request) -> Response:
        """What waits on disk, and what has become of what no longer does."""
        return JSONResponse(await self._parts.reports.delivery())

    async def list_functions(self, request: Request) -> Response:
        """All functions, also those that the config names and nobody has deployed."""
        known = self._parts.catalog.functions
        absent = [name for name in self._parts.reloader.functions if name not in known]
        names = [*sorted(known), *absent]
        pieces = []
        for start in range(0, len(names), LINES_AT_A_TIME):
            lines = [self._summarize(name) for name in names[start : start + LINES_AT_A_TIME]]
            pieces.append(JSONResponse(lines).body[1:-1])
            await asyncio.sleep(0)  # invocations go on while a long list is written
        return Response(b'{"functions":[' + b",".join(pieces) + b"]}", media_type="application/json")

    def _summarize(self, name: str) -> views.View:
        deployed = self._parts.catalog.functions.get(name)
        why = self._why(name)
        return views.summarize(deployed, why) if deployed else views.summarize_missing(name, why)

    async def describe(self, request: Request) -> Response:
        """One function."""
        deployed = self._parts.catalog.get(request.path_params["name"])
        self._parts.catalog.open_live(deployed)
        return JSONResponse(views.describe(deployed, self._why(deployed.name)))

    async def remove(self, request: Request) -> Response:
        """Take a function away."""
        name = request.path_params["name"]
        await self._parts.deployer.remove(name)
        self._parts.logs.forget(name)
        await self._parts.saved.forget(name)
        return JSONResponse({"removed": name})

    async def scale(self, request: Request) -> Response:
        """Fix the number of instances; null leaves it to the load again."""
        instances = (await read_object(request)).get("instances", "")
        if isinstance(instances, float) and instances.is_integer():
            instances = int(instances)  # as JSON has it, 3.0 is 3
        if not isinstance(instances, int | None) or isinstance(instances, bool):
            raise HTTPException(
                400, 'say how many, as {"instances": 3}, or null for as many as the load needs'
            )
        return JSONResponse(
            {"instances": await self._parts.catalog.scale(request.path_params["name"], instances)}
        )

    async def list_decisions(self, request: Request) -> Response:
        """Why the function has as many instances as it has."""
        name = self._parts.catalog.get(request.path_params["name"]).name
        decisions = [views.tell_decision(each) for each in self._parts.reports.decisions(name)]
        return JSONResponse({"function": name, "decisions": decisions})

    async def apply_config(self, request: Request) -> Response:
        """Go over to another config file of this machine, or to the host's own as it is now."""
        path = (await read_object(request)).get("path")
        if path is not None and not (isinstance(path, str) and _is_place(path)):
            raise HTTPException(400, "`path` is the absolute path of a config file on the host's machine")
        note_for_audit(request, target=path or "the host's own file")
        changes = await self._parts.reloader.apply(Path(path) if path else None)
        return JSONResponse({"changes": changes})

    async def read_build_log(self, request: Request) -> Response:
        """What the build of a revision's environment printed."""
        deployed = self._parts.catalog.get(request.path_params["name"])
        number = path_number(request, "number")
        file = self._parts.state.build_log(deployed.name, number)
        if not file.exists():
            raise HTTPException(404, f"{deployed.name} has no build log of revision {number}")
        return Response(await asyncio.to_thread(file.read_bytes), media_type="text/plain; charset=utf-8")


def _is_place(path: str) -> bool:
    # JSON can say what no file's name can: NUL, and half of a surrogate pair.
    return path.startswith("/") and not re.search("[\0\ud800-\udfff]", path)


def _tell(status: int, title: str) -> Callable[[Request, Exception], Response]:
    def respond(request: Request, error: Exception) -> Response:
        entry = getattr(error, "entry", None)
        return _problem(status, title, str(error), {"entry": entry} if entry else {})

    return respond


def _tell_http(request: Request, error: HTTPException) -> Response:
    response = _problem(error.status_code, "The request is refused", error.detail, {})
    response.headers.update(error.headers or {})
    if error.status_code == 413:
        # The rest of the body is not read: this connection cannot be used again.
        response.headers["connection"] = "close"
    if error.status_code == 405:
        response.headers["allow"] = allowed_methods(request)
    return response


def _problem(status: int, title: str, detail: str, more: Line) -> Response:
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(body, status, media_type="application/problem+json")
