"""Events to be sent again in the management API: those that people saved, and the samples of the package."""

import asyncio
import json
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.access.gate import identity_of, require
from host.access.scopes import INVOKE
from host.authoring.faults import AuthoringError
from host.authoring.samples import find_samples, read_sample
from host.deployment.catalog import Catalog
from host.saved_events import LARGEST, SavedEvent, SavedEventError, SavedEvents
from host.state import StateDir
from host.web.bodies import read_object

MOST_SAMPLES, LARGEST_SAMPLE = 20, 64 * 1024
ENCODINGS = ("text", "base64")
LONGEST_NAME, MOST_HEADERS, LONGEST_LINE = 80, 32, 4096
MOST_SENT = 4 * LARGEST
"""Bytes of an event as JSON, which has more signs than what it says."""

View = dict[str, Any]


class SavedEventsApi:
    """Its endpoints, each one verb."""

    def __init__(self, saved: SavedEvents, catalog: Catalog, state: StateDir) -> None:
        self._saved = saved
        self._catalog = catalog
        self._state = state

    def routes(self) -> list[Route]:
        """Where they are reached."""
        path = "/api/functions/{name}/saved-events"
        return [
            Route(path, self.show, methods=["GET"]),
            Route(path, self.save, methods=["PUT"]),
            Route(path, self.drop, methods=["DELETE"]),
        ]

    async def show(self, request: Request) -> Response:
        """Those that people saved, and the samples in the package of the live revision."""
        deployed = self._catalog.get(request.path_params["name"])
        saved = [asdict(each) for each in await self._saved.of(deployed.name)]
        samples: list[View] = []
        if deployed.live is not None:
            package = self._state.package(deployed.revisions[deployed.live].sha256)
            samples = await asyncio.to_thread(_read_samples, package)
        return _json({"saved": saved, "samples": samples})

    async def save(self, request: Request) -> Response:
        """Keep an event under this name, in place of another one of it."""
        deployed = self._catalog.get(request.path_params["name"])
        require(request, INVOKE, deployed.name)
        event = self._event(request, await read_object(request, MOST_SENT))
        try:
            await self._saved.save(deployed.name, event)
        except SavedEventError as error:
            raise HTTPException(413, str(error)) from None
        except OSError as error:
            raise HTTPException(503, f"the disk takes nothing just now: {error.strerror}") from None
        return _json(asdict(event))

    async def drop(self, request: Request) -> Response:
        """Throw one away."""
        name, event = request.path_params["name"], _event_name(request)
        require(request, INVOKE, name)
        try:
            if not await self._saved.drop(name, event):
                raise HTTPException(404, f"{name} has no saved event {event[:LONGEST_NAME]!r}")
        except OSError as error:
            raise HTTPException(503, f"the disk takes nothing just now: {error.strerror}") from None
        return _json({"dropped": event})

    def _event(self, request: Request, told: View) -> SavedEvent:
        name = _event_name(request)
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name in (".", ".."):
            said = f"a saved event's name has one to {LONGEST_NAME} printable characters, and is not . or .."
            raise HTTPException(400, said)
        body, encoding = told.get("body", ""), told.get("encoding", "text")
        content_type, headers = told.get("content_type", ""), told.get("headers", [])
        if not all(isinstance(each, str) for each in (body, content_type)) or encoding not in ENCODINGS:
            raise HTTPException(400, "`body`, `content_type` and `encoding` (text or base64) are texts")
        if not _is_lines(headers) or len(content_type) > LONGEST_LINE:
            raise HTTPException(400, f"`headers` are at most {MOST_HEADERS} short lines: `x-line: 7`")
        by, now = identity_of(request).name, self._saved.now()
        return SavedEvent(name, body, encoding, content_type, tuple(headers), by, now)


def _event_name(request: Request) -> str:
    """From the query: at the end of a path browsers take dots for a way up, to the function itself."""
    return request.query_params.get("event", "")


def _is_lines(told: Any) -> bool:
    if not isinstance(told, list) or len(told) > MOST_HEADERS:
        return False
    return all(isinstance(each, str) and len(each) <= LONGEST_LINE for each in told)


def _read_samples(package: Path) -> list[View]:
    """Samples that can be read; a package may have links to what is not its own, and they are passed over."""
    told = []
    for path in islice(find_samples(package), MOST_SAMPLES):
        try:
            if path.is_symlink() or path.stat().st_size > LARGEST_SAMPLE:
                continue
            sample = read_sample(path)
            body = sample.body.decode()
        except (AuthoringError, OSError, UnicodeError):
            continue
        told.append({"name": sample.name, "body": body, "content_type": sample.content_type})
    return told


def _json(told: View) -> Response:
    text = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    return Response(text, media_type="application/json")
