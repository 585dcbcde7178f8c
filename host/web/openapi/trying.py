"""The operations to try a function: send an event and have all that came of it, keep events to send again."""

from host.web.openapi.events import EVENT
from host.web.openapi.functions import NAME
from host.web.openapi.operation import (
    COUNT,
    FLAG,
    JSON,
    NUMBER,
    TEXT,
    Operation,
    Schema,
    in_query,
    listed,
    shape,
    told,
)
from host.web.openapi.records import OUTCOME

PATH = "/api/functions/{name}"
TRIED: Schema = {
    **OUTCOME,
    "properties": {
        **{name: schema for name, schema in OUTCOME["properties"].items() if name != "of"},
        "headers": listed(listed(TEXT)),
        "digest": TEXT,
        "size": COUNT,
        "cut": FLAG,
    },
    "required": [name for name in OUTCOME["required"] if name != "of"],
}
HEADER: Schema = {
    **in_query("header", "A header of the event, as `x-line: 7`; may be told again.", listed(TEXT)),
    "explode": True,
}
REVISION: Schema = in_query(
    "revision", "Which revision runs it, a number; else the live one.", {"type": "string", "examples": ["3"]}
)
SAVED: Schema = shape(
    {
        "name": TEXT,
        "body": TEXT,
        "encoding": {"enum": ["text", "base64"]},
        "content_type": TEXT,
        "headers": listed(TEXT),
        "by": TEXT,
        "at": NUMBER,
    }
)
SAMPLE: Schema = shape({"name": TEXT, "body": TEXT, "content_type": TEXT})
SENT: Schema = {
    "type": "object",
    "properties": {
        "body": TEXT,
        "encoding": {"enum": ["text", "base64"]},
        "content_type": TEXT,
        "headers": listed(TEXT),
    },
}
SAVED_NAME: Schema = {
    **in_query("event", "The name of the saved event.", {"type": "string", "minLength": 1, "maxLength": 80}),
    "required": True,
}

OPERATIONS = (
    Operation(
        "POST",
        f"{PATH}/try",
        "try",
        "Run an event as `/invoke` does, and tell all that came of it as JSON. Nothing of it is "
        "published, and a record of it is kept.",
        "invoke",
        told(TRIED),
        (400, 404, 413, 429, 503),
        (NAME, REVISION, HEADER),
        EVENT,
    ),
    Operation(
        "GET",
        f"{PATH}/saved-events",
        "listSavedEvents",
        "Events that people saved for this function, and the samples in its package.",
        "read",
        told(shape({"saved": listed(SAVED), "samples": listed(SAMPLE)})),
        (404,),
        (NAME,),
    ),
    Operation(
        "PUT",
        f"{PATH}/saved-events",
        "saveEvent",
        "Keep an event of a function under this name, to be sent again. Needs `invoke` on it as well.",
        "read",
        told(SAVED),
        (400, 404, 413, 503),
        (NAME, SAVED_NAME),
        {"required": True, "content": {JSON: {"schema": SENT, "example": {"body": '{"t": 188}'}}}},
    ),
    Operation(
        "DELETE",
        f"{PATH}/saved-events",
        "dropSavedEvent",
        "Throw a saved event away. Needs `invoke` on the function as well.",
        "read",
        told(shape({"dropped": TEXT})),
        (404, 503),
        (NAME, SAVED_NAME),
    ),
)
