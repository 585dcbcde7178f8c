"""The operations on records of invocations."""

from host.web.openapi.events import BEFORE, LIMIT
from host.web.openapi.operation import (
    ANYTHING,
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Operation,
    Schema,
    in_path,
    in_query,
    listed,
    maybe,
    shape,
    told,
)
from runtime.observations import RESULTS

PATH = "/api/records"
ID: Schema = in_path("id", "The event's id, as `x-request-id` told it.", {"type": "string", "minLength": 1})
RESULT: Schema = {"type": "string", "enum": list(RESULTS)}
STAGES: Schema = {"type": "object", "additionalProperties": NUMBER}
ERROR: Schema = shape({"type": TEXT, "message": TEXT}, {"stack": listed(TEXT)})
BODY: Schema = shape(
    {
        "content_type": maybe(TEXT),
        "size": COUNT,
        "body": maybe(TEXT),
        "encoding": maybe({"enum": ["text", "base64"]}),
        "cut": FLAG,
        "redacted": FLAG,
        "lost": TEXT,
    }
)
BRIEF: dict[str, Schema] = {
    "number": COUNT,
    "id": TEXT,
    "attempt": {"type": "integer"},
    "function": TEXT,
    "revision": COUNT,
    "digest": TEXT,
    "trigger": TEXT,
    "source": TEXT,
    "caller": TEXT,
    "device": maybe(TEXT),
    "result": RESULT,
    "status": maybe(COUNT),
    "pid": COUNT,
    "stages": STAGES,
    "seconds": NUMBER,
    "error": maybe(ERROR),
}
SUMMARY: Schema = shape({**BRIEF, "size": COUNT, "size_out": COUNT})
WHOLE: Schema = shape(
    {
        **BRIEF,
        "meta": {"type": "object"},
        "meta_cut": FLAG,
        "input": BODY,
        "output": BODY,
        "publications": listed(shape({"topic": TEXT, "size": COUNT})),
        "not_again": maybe(TEXT),
    }
)
TOTALS: Schema = {
    "type": "object",
    "additionalProperties": shape({"made": COUNT, "forgotten": COUNT, "kept": COUNT}),
}
OUTCOME: Schema = shape(
    {
        "id": TEXT,
        "of": TEXT,
        "target": TEXT,
        "result": RESULT,
        "status": COUNT,
        "revision": TEXT,
        "queued": NUMBER,
        "seconds": maybe(NUMBER),
    },
    {
        "error": ERROR,
        "content_type": TEXT,
        "body": maybe(TEXT),
        "encoding": maybe({"enum": ["text", "base64"]}),
        "publications": listed(ANYTHING),
    },
)

OPERATIONS = (
    Operation(
        "GET",
        PATH,
        "listInvocationRecords",
        "Records of invocations, newest first: all that failed, and a sample of the rest; and how many there "
        "were since the host started, by result.",
        "read",
        told(
            shape(
                {"records": listed(SUMMARY), "since": NUMBER, "trouble": maybe(TEXT), "totals": TOTALS},
            )
        ),
        (400,),
        (
            in_query("function", "Those of this function.", TEXT),
            in_query("result", "Those that ended so.", RESULT),
            in_query("trigger", "Those whose event came this way: http, mqtt or timer.", TEXT),
            in_query("failed", "1: those that failed.", {"type": "integer", "enum": [0, 1], "default": 0}),
            in_query("since", "Those that ended at this time or later, in seconds since the epoch.", NUMBER),
            in_query("text", "Those in which this stands somewhere.", {"type": "string", "maxLength": 200}),
            LIMIT,
            BEFORE,
        ),
    ),
    Operation(
        "GET",
        f"{PATH}/{{id}}",
        "showInvocationRecord",
        "One event: each attempt with its stages, its input, and what came of it.",
        "read",
        told(shape({"id": TEXT, "attempts": listed(WHOLE)})),
        (404,),
        (ID,),
    ),
    Operation(
        "POST",
        f"{PATH}/{{id}}/replay",
        "replayInvocationRecord",
        "Run the very input again, and say what came of it; nothing of it is published. Needs `invoke` on "
        "the function as well.",
        "read",
        told(OUTCOME),
        (404, 409, 413, 503, 504),
        (ID, in_query("on", "What is to run it, instead of the live revision: `industry@2`.", TEXT)),
    ),
)
