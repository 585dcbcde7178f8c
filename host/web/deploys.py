"""Takes packages in over HTTP: onto the disk, checked, then deployed while the caller reads how far it is."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from host.access.gate import actor_of, require
from host.access.scopes import DEPLOY
from host.deployment.deployer import Deployer
from host.deployment.orders import Names, Orderer
from host.deployment.room import Room
from host.deployment.tasks import DeployTasks, Lines
from host.web.bodies import json_line

UPLOADS = 4
"""Packages on their way for each one that is deployed: an upload may be slow, and takes little but disk."""
UPLOAD_TIME = 3600.0


@dataclass(frozen=True)
class DeployParts:
    """What takes a package; `staging` is the folder for uploads."""

    staging: Path
    deployer: Deployer
    tasks: DeployTasks
    room: Room


class DeploysApi:
    """One endpoint; so many packages are deployed at a time as `limits.deploys` says, and the others wait.

    `upload_time` is in seconds.
    """

    def __init__(self, parts: DeployParts, upload_time: float = UPLOAD_TIME) -> None:
        self._parts = parts
        self._upload_time = upload_time
        self._turns = asyncio.Semaphore(parts.room.limits.deploys)
        self._uploads = asyncio.Semaphore(UPLOADS * parts.room.limits.deploys)

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/functions", self.deploy, methods=["POST"])]

    async def deploy(self, request: Request) -> Response:
        """Take a package; its progress is told line by line."""
        self._check_length(request)
        async with self._uploads:
            with tempfile.NamedTemporaryFile(dir=self._parts.staging, suffix=".zip") as file:
                await self._upload(request, file)
                await self._turns.acquire()
                try:
                    lines = await self._begin(request, Path(file.name))
                except BaseException:
                    self._turns.release()
                    raise
        return StreamingResponse(_lines_from(lines), media_type="application/x-ndjson")

    async def _begin(self, request: Request, package: Path) -> Lines:
        names = Names(request.query_params.get("name"), request.query_params.get("default_name"))
        orderer = Orderer(actor_of(request), partial(require, request, DEPLOY))
        prepared = await self._parts.deployer.prepare(package, names, orderer)
        return self._parts.tasks.begin(prepared, self._turns.release)

    async def _upload(self, request: Request, file: "tempfile._TemporaryFileWrapper[bytes]") -> None:
        try:
            async with asyncio.timeout(self._upload_time):
                await self._receive(request, file)
        except TimeoutError:
            raise HTTPException(
                408,
                f"the package took longer than {self._upload_time / 60:g} minutes",
                {"connection": "close"},
            ) from None

    def _check_length(self, request: Request) -> None:
        told = request.headers.get("content-length", "")
        if told.isdecimal() and int(told) > self._parts.room.limits.package:
            raise self._too_large()

    async def _receive(self, request: Request, file: "tempfile._TemporaryFileWrapper[bytes]") -> None:
        size = 0
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > self._parts.room.limits.package:
                    raise self._too_large()
                await asyncio.to_thread(file.write, chunk)
        except ClientDisconnect:
            raise HTTPException(400, "the upload was cut off; send it again") from None
        if not size:
            raise HTTPException(400, "the request has no body; send the package's zip")
        await asyncio.to_thread(file.flush)

    def _too_large(self) -> HTTPException:
        most = self._parts.room.limits.package
        return HTTPException(413, f"a package may have {most} bytes at most (`limits.package`)")


async def _lines_from(lines: Lines) -> AsyncIterator[bytes]:
    while (line := await lines.get()) is not None:
        yield json_line(line)
