"""`GET /api/openapi.json`: the OpenAPI 3.1 document, made of the tables beside it."""

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from host.web.openapi import (
    access,
    config,
    devices,
    events,
    functions,
    history,
    machine,
    mqtt,
    pages,
    records,
    trying,
)
from host.web.openapi.operation import PROBLEM, Answer, Operation, Schema, ref
from host.web.openapi.schemas import SCHEMAS
from host.web.openapi.tags import TAGS, tag_of

PATH = "/api/openapi.json"
VERSION = "1"
SECURED = (401, 403, 429)
SECURITY: Schema = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of `fnhost token create`."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "fnhost_session",
        "description": "The console's session.",
    },
}
SAYS = {
    400: "The request is not what it should be.",
    401: "A token is needed, and there is none or a wrong one.",
    403: "The token does not allow this, or the request comes by a name or page that is not ours.",
    404: "There is no such thing.",
    409: "It is in the way of what is there.",
    410: "It was called off.",
    413: "The body is over the limit.",
    422: "It was read, and is refused.",
    429: "Too much at a time, or too many wrong tokens.",
    500: "The function raised.",
    502: "The function's instance died.",
    503: "Not now; `retry-after` may say when.",
    504: "The deadline passed.",
    507: "There is no room for another function, or on the disk.",
}
OPERATIONS: tuple[Operation, ...] = (
    *functions.OPERATIONS,
    *trying.OPERATIONS,
    *events.OPERATIONS,
    *records.OPERATIONS,
    *access.OPERATIONS,
    *machine.OPERATIONS,
    *mqtt.OPERATIONS,
    *config.OPERATIONS,
    *history.OPERATIONS,
    *devices.OPERATIONS,
    *pages.OPERATIONS,
)
INVOKE = "/invoke/"


def routes() -> list[Route]:
    """Where the document is reached."""
    return [Route(PATH, show, methods=["GET"])]


async def show(request: Request) -> Response:
    """The document, the same for everybody."""
    return Response(_encoded(), media_type="application/json")


@lru_cache(1)
def _encoded() -> bytes:
    return json.dumps(describe_api(OPERATIONS), ensure_ascii=False).encode()


def describe_api(operations: Iterable[Operation]) -> dict[str, Any]:
    """The document of these operations."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _describe(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fnhost",
            "version": VERSION,
            "description": "A function host for the edge. Problems are those of RFC 9457.",
        },
        "tags": [{"name": tag.name, "description": tag.says} for tag in TAGS],
        "paths": paths,
        "components": {"schemas": dict(SCHEMAS), "securitySchemes": SECURITY},
    }


def _describe(operation: Operation) -> dict[str, Any]:
    statuses = (*operation.problems, *(SECURED if operation.scope else (403,)))
    shown = "InvocationProblem" if operation.path.startswith(INVOKE) else "Problem"
    problems = {str(status): _problem(status, shown) for status in statuses}
    answers = {status: _answer(answer) for status, answer in operation.answers.items()}
    told: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [tag_of(operation.path)],
        "summary": operation.summary,
        "security": [{"bearer": [operation.scope]}, {"cookie": [operation.scope]}] if operation.scope else [],
        "responses": dict(sorted({**problems, **answers}.items())),
    }
    if operation.parameters:
        told["parameters"] = list(operation.parameters)
    if operation.body:
        told["requestBody"] = operation.body
    return told


def _problem(status: int, shape: str) -> Schema:
    return {"description": SAYS[status], "content": {PROBLEM: {"schema": ref(shape)}}}


def _answer(answer: Answer) -> Schema:
    headers = {
        name: {"description": says, "required": True, "schema": {"type": "string"}}
        for name, says in answer.headers.items()
    }
    content = {kind: {"schema": schema} for kind, schema in answer.content.items()}
    links = {name: {"operationId": name, "parameters": {key: at}} for name, key, at in answer.links}
    told = {"content": content, "headers": headers, "links": links}
    return {"description": answer.says, **{key: value for key, value in told.items() if value}}
