"""A real HTTP server that keeps the host's side of the API with answers prepared by the test."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

PROBLEM = "application/problem+json"
NDJSON = "application/x-ndjson"
DEADLINE = 60.0  # seconds


@dataclass(frozen=True)
class Prepared:
    """One answer; with `endless` the connection stays open after the body."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    endless: bool = False


@dataclass(frozen=True)
class Seen:
    """One request, as it arrived; `path` is still quoted."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class StubHost:
    """Answers `METHOD /path` with what `prepare` said, everything else with 404."""

    answers: dict[str, Prepared] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self, request: str, value: object, status: int = 200) -> None:
        """Answers `request` with JSON, as a problem when the status says so."""
        kind = PROBLEM if status >= 400 else "application/json"
        self.answers[request] = Prepared(json.dumps(value).encode(), status, kind)

    def prepare_lines(self, request: str, lines: list[dict[str, Any]], endless: bool = False) -> None:
        """Answers `request` with one JSON object per line."""
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        self.answers[request] = Prepared(body, content_type=NDJSON, endless=endless)

    async def answer(self, request: Request) -> Response:
        """The Starlette endpoint."""
        path = request.scope["raw_path"].decode()
        body = await request.body()
        self.seen.append(
            Seen(request.method, path, dict(request.query_params), dict(request.headers.items()), body)
        )
        known = self.answers.get(f"{request.method} {path}")
        if known is None:
            problem = json.dumps({"status": 404, "detail": f"there is no {path}"}).encode()
            known = Prepared(problem, 404, PROBLEM)
        if known.endless:
            return StreamingResponse(_endless(known.body), media_type=known.content_type)
        return Response(known.body, known.status, media_type=known.content_type)


async def _endless(body: bytes) -> AsyncIterator[bytes]:
    yield body
    await asyncio.Event().wait()


class StubServer:
    """Runs a StubHost in a thread, for as long as the `with` lasts."""

    def __init__(self) -> None:
        self.host = StubHost()
        route = Route("/{path:path}", self.host.answer, methods=["GET", "POST", "DELETE"])
        config = uvicorn.Config(
            Starlette(routes=[route]), lifespan="off", ws="none", loop="asyncio", log_level="critical"
        )
        self._server = uvicorn.Server(config)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self) -> StubHost:
        self.host.port = self._socket.getsockname()[1]
        self._thread.start()  # the socket listens already: who connects early waits
        return self.host

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(DEADLINE)
        self._socket.close()
        assert not self._thread.is_alive()
