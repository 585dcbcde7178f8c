"""What is said of one operation of the API, and the words it is said with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]

JSON = "application/json"
PROBLEM = "application/problem+json"
LINES = "application/x-ndjson"

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
ANYTHING: Schema = {}
BYTES: Schema = {"type": "string", "format": "binary"}


@dataclass(frozen=True)
class Answer:
    """An answer that is no problem: its shape by media type, and the headers that it always has.

    `links` has what in it names the parameter of other operations: (operation, parameter, expression).
    """

    says: str
    content: Mapping[str, Schema] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    links: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Operation:
    """One method of one path.

    `scope` is what a token must allow, as in `docs/security.md`; None: nobody needs one. `problems` are the
    statuses beside those of every operation; `body` is an OpenAPI request body.
    """

    method: str
    path: str
    name: str
    summary: str
    scope: str | None
    answers: Mapping[str, Answer]
    problems: tuple[int, ...] = ()
    parameters: tuple[Schema, ...] = ()
    body: Schema | None = None


def shape(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with these keys; more may be added later, and callers pass them over."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def listed(item: Schema) -> Schema:
    """An array of `item`."""
    return {"type": "array", "items": item}


def maybe(schema: Schema) -> Schema:
    """`schema`, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def ref(name: str) -> Schema:
    """The shape of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def told(schema: Schema, says: str = "What was asked for.") -> dict[str, Answer]:
    """The usual answer: 200 and JSON."""
    return {"200": Answer(says, {JSON: schema})}


def in_path(name: str, says: str, schema: Schema) -> Schema:
    """A parameter in the path."""
    return {"name": name, "in": "path", "required": True, "description": says, "schema": schema}


def in_query(name: str, says: str, schema: Schema) -> Schema:
    """A parameter after the question mark, which may be left out."""
    return {"name": name, "in": "query", "description": says, "schema": schema}


def in_header(name: str, says: str, schema: Schema) -> Schema:
    """A header that may be left out."""
    return {"name": name, "in": "header", "description": says, "schema": schema}
