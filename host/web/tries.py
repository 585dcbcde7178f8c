"""`POST /api/functions/{name}/try`: sends one event to a function, and wraps what came of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.access.gate import as_http, identity_of, note_for_audit
from host.observing.records.replay import OF_THE_RUN, dump, tell_end, tell_failure, tell_publication
from host.observing.records.sealing import encode
from runtime.events import Answer, Dispatch, Event, InvocationError, encode_metadata
from triggers.asgi import exchange_of
from triggers.bodies import Bodies, too_large
from triggers.http import PREFIX, SECRET
from triggers.http_answers import encode_answer

MOST_SHOWN = 1024 * 1024
"""Bytes of an answer's body that are shown."""
MOST_HEADERS, LONGEST_HEADER = 32, 4096
SHOWN_PUBLICATIONS, SHOWN_PAYLOAD = 20, 64 * 1024
GONE = 499
"""What is noted for a caller who did not wait for the answer, as proxies do."""

View = dict[str, Any]


@dataclass(frozen=True)
class TryParts:
    """What an event of this way passes, as one of `/invoke` does; `max_body` is in bytes."""

    dispatch: Dispatch
    bodies: Bodies
    max_body: Callable[[], int]


class TriesApi:
    """Its endpoint: no answer of a function becomes a page of the console, since all of it is data here."""

    def __init__(self, parts: TryParts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route("/api/functions/{name}/try", self.run, methods=["POST"])]

    async def run(self, request: Request) -> Response:
        """Run an event as `/invoke` does; nothing of its result is published, and a record of it is kept."""
        name = request.path_params["name"]
        target = f"{name}@{number}" if (number := request.query_params.get("revision")) else name
        note_for_audit(request, target=target)
        try:
            event = await self._read(request, target)
            return _json(await self._run(request, target, event))
        except InvocationError as error:
            raise as_http(error) from None

    async def _read(self, request: Request, target: str) -> Event:
        most = self._parts.max_body()
        if int(request.headers.get("content-length", "0")) > most:
            raise too_large(most)
        body = await self._parts.bodies.read(request.receive, most)
        content_type = request.headers.get("content-type")
        headers = {**_headers(request), "content-length": str(len(body))}
        if content_type:
            headers["content-type"] = content_type
        place: dict[str, object] = {"method": "POST", "path": PREFIX + target, "query": ""}
        meta = encode_metadata("http", "http", {**place, "headers": headers})
        return Event(body, content_type, "http", "http", meta, caller=_caller(request), asked_for=True)

    async def _run(self, request: Request, target: str, event: Event) -> View:
        future = self._parts.dispatch(target, event)
        if (exchange := exchange_of(request.scope)) is not None:
            exchange.when_gone(future.cancel)
        told = {"id": event.id, "target": target}
        try:
            return {**told, **_tell_answer(await future)}
        except OF_THE_RUN as error:
            return {**told, **tell_failure(error), "digest": error.digest}
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise HTTPException(GONE, "nobody waited for the answer") from None


def _headers(request: Request) -> dict[str, str]:
    """Those of the event: each parameter `header` is one, as `x-line: 7`."""
    told = request.query_params.getlist("header")
    if len(told) > MOST_HEADERS or any(len(each) > LONGEST_HEADER for each in told):
        raise HTTPException(
            400, f"an event has {MOST_HEADERS} headers of {LONGEST_HEADER} characters at most here"
        )
    pairs = (each.partition(":") for each in told)
    named = {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}
    return {name: value for name, value in named.items() if name.encode() not in SECRET}


def _caller(request: Request) -> str:
    return identity_of(request).caller or (request.client.host if request.client else "")


def _tell_answer(answer: Answer) -> View:
    status, headers, body = encode_answer(answer)
    shown = {"body": None, "encoding": None} if answer.body is None else encode(body[:MOST_SHOWN])
    return {
        **tell_end(answer),
        "status": status,
        "headers": [[name.decode("latin-1"), value.decode("utf-8", "replace")] for name, value in headers],
        "content_type": answer.content_type,
        **shown,
        "size": len(body),
        "cut": len(body) > MOST_SHOWN,
        "digest": answer.digest,
        "publications": [
            tell_publication(each)
            for each in answer.publications[:SHOWN_PUBLICATIONS]
            if len(each.payload) <= SHOWN_PAYLOAD
        ],
    }


def _json(told: View) -> Response:
    return Response(dump(told), media_type="application/json")
